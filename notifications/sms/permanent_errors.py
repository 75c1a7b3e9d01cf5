"""What no second try mends: said to the operator in these words, and known by them where a channel's pulse is felt."""

LOGIN = "Sai thông tin đăng nhập; sửa cấu hình của kênh SMS này. / Wrong login; mend this channel's settings."
BALANCE = "Tài khoản hết tiền; hãy nạp thêm. / The account has no money left; top it up."
