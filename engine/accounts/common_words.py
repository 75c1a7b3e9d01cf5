"""Words that people in Vietnamese offices put into passwords, without diacritics and spaces; most used first. The
strength estimator knows the English ones."""

from __future__ import annotations

_WORDS = """
matkhau matkhaumoi khongcho khongbiet anhyeuem emyeuanh yeuem yeuanh anhyeu emyeu iloveyou vietnam hanoi
saigon hochiminh tphcm danang haiphong hue cantho nghean vinh thanhhoa hatinh quangbinh quangtri nhatrang
dalat bachho quantri quantrivien admin administrator nguoidung taikhoan dangnhap truycap hethong maychu
maytinh phanmem congthongtin vanphong vanthu hanhchinh tochuc tonghop ketoan thuky lanhdao chuyenvien congchuc
vienchuc canbo nhanvien truongphong phophong giamdoc chutich bithu ubnd uyban uybannhandan hdnd hoidongnhandan
tinhuy huyenuy thanhuy danguy mattran doanthanhnien congdoan congan sonoivu soyte sotaichinh sotuphap
sogiaoduc soxaydung sokhoahoc sonongnghiep sokehoach sovanhoa sothongtin phong huyen tinh xa phuong thanhpho
thixa sobannganh coquan donvi vanban congvan kehoach baocao nhiemvu dondoc giadinh bome concai conyeu vochong
hanhphuc maiyeu mottraitim tinhyeu nguoiyeu bancu banbe thangloi thanhcong maiman nguyen tran hoang huynh phan
dang ngo duong nguyenvan nguyenthi tranvan tranthi levan lethi phamvan phamthi thang mot hai nam bon sau bay
tam chin muoi mothaibabon motkhongai
laodong thuongbinh xahoi yte congthuong giaothong nongnghiep moitruong taichinh dautu noivu tuphap vanhoa thethao
dulich khoahoc congnghe truyenthong xaydung ngoaivu dantoc thanhtra giaoduc daotao baohiem nganhang thue haiquan
angiang bacgiang backan baclieu bacninh bariavungtau bentre binhdinh binhduong binhphuoc binhthuan camau caobang
daklak daknong dienbien dongnai dongthap gialai hagiang hanam haiduong haugiang hoabinh hungyen khanhhoa kiengiang
kontum laichau lamdong langson laocai longan namdinh ninhbinh ninhthuan phutho phuyen quangnam quangngai quangninh
soctrang sonla tayninh thaibinh thainguyen thuathienhue tiengiang travinh tuyenquang vinhlong vinhphuc yenbai
"""
COMMON_WORDS = tuple(_WORDS.split())
