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
"""
COMMON_WORDS = tuple(_WORDS.split())
