"""Messages for errors that retrying cannot fix; ``channel_health`` recognises them in the outcome's reply."""

from engine.text import Text

LOGIN = Text("Sai thông tin đăng nhập; sửa cấu hình của kênh SMS này.", "Wrong login; correct this channel's settings.")
BALANCE = Text("Tài khoản hết tiền; hãy nạp thêm.", "The account has no money left; top it up.")
