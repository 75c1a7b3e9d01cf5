"""What no second try mends: said to the operator in these words, and known by them where a channel's pulse is felt."""

from engine.text import Text

LOGIN = Text("Sai thông tin đăng nhập; sửa cấu hình của kênh SMS này.", "Wrong login; mend this channel's settings.")
BALANCE = Text("Tài khoản hết tiền; hãy nạp thêm.", "The account has no money left; top it up.")
