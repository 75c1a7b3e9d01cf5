"""The bodies of Nghệ An under all the names people give them, and a directory file with every mistake."""

import unicodedata
from datetime import date

import pytest
from ground.paths import CONFIG

from engine.errors import FileRefused
from engine.files.directory import DirectoryFile, find_cycle, fold, load_directory
from engine.files.yaml_reader import dump, read
from engine.terms import Role

NGHE_AN = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
ISSUED = date(2021, 4, 7)


def small(agencies: str, groups: str = "[]") -> DirectoryFile:
    return read(f"schema: dondoc/directory@1\nid: t\nname: T\nagencies: {agencies}\ngroups: {groups}\n", DirectoryFile)


@pytest.mark.parametrize(
    ("written", "agency"),
    [
        ("Sở Lao động - Thương binh và Xã\nhội", "so-ldtbxh"),
        ("Sở LĐ-TB&XH", "so-ldtbxh"),
        ("SLĐTBXH", "so-ldtbxh"),
        ("sở lđ-tb và xh", "so-ldtbxh"),
        ("UBND H. Quế Phong", "ubnd-huyen-que-phong"),
        ("Huyện Quì Hợp", "ubnd-huyen-quy-hop"),
        ("Ủy ban nhân dân huyện Kì Sơn", "ubnd-huyen-ky-son"),
        ("Uỷ ban nhân dân thị xã Thái Hoà", "ubnd-tx-thai-hoa"),
        ("TX. Thái Hòa", "ubnd-tx-thai-hoa"),
        ("UBND Tp.Vinh", "ubnd-tp-vinh"),
        ("THÀNH PHỐ VINH", "ubnd-tp-vinh"),
        ("Sở Y tế tỉnh Nghệ An", "so-y-te"),
        ("Sở Văn hoá và Thể thao", "so-van-hoa-the-thao"),
        ("Ủy ban mặt trận Tổ quốc tỉnh", "mttq-tinh"),
        ("Bộ Chỉ huy Bộ đội Biên phòng tỉnh", "bdbp-tinh"),
        ("UBND các huyện, thành phố, thị xã", "huyen-21"),
        ("Ủy ban nhân dân các huyện, thành, thị", "huyen-21"),
        ("Các Sở, ban, ngành, đoàn thể cấp\ntỉnh", "so-ban-nganh-doan-the-tinh"),
        ("Ban nhạc tỉnh", None),
        ("tỉnh", None),
        ("", None),
    ],
)
def test_a_name_is_found_however_it_is_written(written, agency):
    assert NGHE_AN.find(written) == agency


def test_a_name_typed_in_decomposed_letters_is_found():
    assert NGHE_AN.find(unicodedata.normalize("NFD", "Sở Y tế")) == "so-y-te"


def test_every_name_and_alias_of_every_body_finds_that_body():
    for agency in NGHE_AN.agencies:
        for name in (*(entry.name for entry in agency.names), *agency.aliases, agency.names[-1].short):
            assert NGHE_AN.find(name) == agency.id, name


def test_a_name_that_two_bodies_bear_finds_neither():
    directory = small("[{id: a, level: so, names: [{name: Sở X}]}, {id: b, level: so, names: [{name: Sở  x}]}]")
    assert directory.find("Sở X") is None


def test_nghe_an_of_2021_has_twenty_one_districts_with_their_codes():
    codes = {NGHE_AN.by_id[agency].code for agency in NGHE_AN.members("huyen-21")}
    assert codes == {str(number) for number in range(412, 433)}


def test_the_group_of_item_13_is_of_departments_and_mass_organisations():
    members = NGHE_AN.members("so-ban-nganh-doan-the-tinh")
    assert {NGHE_AN.by_id[each].level for each in members} == {"so", "doan_the"}
    assert not {"mttq-tinh", "nhcsxh-tinh", "dai-ptth", "bao-nghe-an"} & set(members)


def test_every_owner_can_be_written_to_at_an_example_mailbox():
    for agency in NGHE_AN.agencies:
        assert all(contact.email.endswith(".example") for contact in agency.contacts)
    for agency in (*NGHE_AN.members("huyen-21"), *NGHE_AN.members("so-ban-nganh-doan-the-tinh"), "mttq-tinh"):  # type: ignore
        assert {each.role for each in NGHE_AN.by_id[agency].contacts_on(ISSUED)} >= {Role.COORDINATOR, Role.HEAD}  # type: ignore


def test_the_supervising_department_and_the_committee_above_it_can_be_told():
    assert NGHE_AN.by_id["so-ldtbxh"].contacts_on(ISSUED, Role.MONITOR)
    assert NGHE_AN.by_id["ubnd-tinh"].contacts_on(ISSUED, Role.MONITOR)
    assert NGHE_AN.by_id["ubnd-tinh"].contacts_on(ISSUED, Role.LEADERSHIP)


def test_succession_is_per_function():
    edges = {(edge.to, edge.function) for edge in NGHE_AN.by_id["so-ldtbxh"].successors}
    assert edges == {
        ("so-noi-vu", "chung"),
        ("so-y-te", "phòng, chống tệ nạn xã hội"),
        ("cong-an-tinh", "cai nghiện ma túy"),
    }
    assert NGHE_AN.by_id["ubnd-tx-cua-lo"].successors[0].to == "ubnd-tp-vinh"


def test_each_commune_says_which_district_it_follows_and_one_of_each_district_is_its_seat():
    communes = [each for each in load_directory(CONFIG / "agencies/nghe-an-2025.yaml").agencies if each.level == "xa"]
    followed = {each.id: [edge.of for edge in each.follows] for each in communes}
    assert len(communes) == 130
    assert all(len(districts) == 1 for districts in followed.values())
    ended_then = set(NGHE_AN.members("huyen-21")) - {"ubnd-tx-cua-lo"}
    assert {of for districts in followed.values() for of in districts} == ended_then
    seats = sorted(edge.of for each in communes for edge in each.follows if edge.seat)
    assert seats == sorted(ended_then)
    assert all(edge.inferred for each in communes for edge in each.follows)


def test_an_agency_does_not_follow_itself():
    with pytest.raises(FileRefused, match="kế thừa chính mình"):
        small("[{id: a, level: so, names: [{name: A}], follows: [{of: a, on: 2025-07-01, basis: NQ}]}]")


def test_a_body_bears_the_name_of_its_day():
    directory = small("[{id: a, level: so, names: [{name: Cũ, until: 2021-05-31}, {name: Mới, from: 2021-06-01}]}]")
    days = (date(2000, 1, 1), date(2021, 5, 31), date(2021, 6, 1), date(2030, 1, 1))
    assert [directory.name_on("a", day) for day in days] == ["Cũ", "Cũ", "Mới", "Mới"]


def test_a_contact_answers_between_two_days_both_included():
    contact = "{role: head, email: a@b.example, from: 2021-06-01, until: 2021-06-30}"
    agency = small(f"[{{id: a, level: so, names: [{{name: A}}], contacts: [{contact}]}}]").by_id["a"]
    days = (date(2021, 5, 31), date(2021, 6, 1), date(2021, 6, 30), date(2021, 7, 1))
    assert [len(agency.contacts_on(day)) for day in days] == [0, 1, 1, 0]


def test_groups_expand_once_in_the_directorys_order():
    assert NGHE_AN.expand(["ubnd-huyen-ky-son", "huyen-21", "so-ldtbxh"])[:2] == ("so-ldtbxh", "ubnd-tp-vinh")
    assert len(NGHE_AN.expand(["ubnd-huyen-ky-son", "huyen-21"])) == 21
    assert NGHE_AN.members("nobody") == ()


A = "{id: a, level: so, names: [{name: A}]"


@pytest.mark.parametrize(
    ("agencies", "groups", "field"),
    [
        (f"[{A}}}, {A}}}]", "[]", "agencies[1].id"),
        (f"[{A}}}]", "[{id: a, name: G, members: [a]}]", "groups[0].id"),
        (f"[{A}, parent: b}}]", "[]", "agencies[0].parent"),
        (f"[{A}, parent: b}}, {{id: b, level: so, names: [{{name: B}}], parent: a}}]", "[]", "agencies[0].parent"),
        (f"[{A}, parent: a}}]", "[]", "agencies[0].parent"),
        (f"[{A}, successors: [{{to: b, on: 2025-03-01, basis: x}}]}}]", "[]", "agencies[0].successors[0].to"),
        (f"[{A}, successors: [{{to: a, on: 2025-03-01, basis: x}}]}}]", "[]", "agencies[0].successors[0].to"),
        (f"[{A}, contacts: [{{role: head, email: a b@c.d}}]}}]", "[]", "agencies[0].contacts[0].email"),
        (f"[{A}, contacts: [{{role: head, email: a@b}}]}}]", "[]", "agencies[0].contacts[0].email"),
        (f"[{A}, contacts: [{{role: boss, email: a@b.vn}}]}}]", "[]", "agencies[0].contacts[0].role"),
        (f"[{A}, contacts: [{{role: head, email: a@b.vn, phone: 0912 x}}]}}]", "[]", "agencies[0].contacts[0].phone"),
        (
            "[{id: a, level: so, names: [{name: A, from: 2021-02-01, until: 2021-01-01}]}]",
            "[]",
            "agencies[0].names[0].until",
        ),
        ("[{id: a, level: so, names: [{name: A}, {name: B}]}]", "[]", "agencies[0].names[1]"),
        ("[{id: a, level: so, names: []}]", "[]", "agencies[0].names"),
        (f"[{A}}}]", "[{id: g, name: G, members: [b]}]", "groups[0].members[0]"),
        (f"[{A}}}]", "[{id: g, name: G, levels: [huyen]}]", "groups[0].levels[0]"),
        (f"[{A}}}]", "[{id: g, name: G}]", "groups[0]"),
    ],
)
def test_mistakes_in_a_directory_are_told_where_they_stand(agencies, groups, field):
    with pytest.raises(FileRefused) as refused:
        small(agencies, groups)
    assert field in [each.field for each in refused.value.problems]


def test_an_unknown_body_is_answered_with_the_nearest_one():
    with pytest.raises(FileRefused, match="«so-y-te»"):
        small("[{id: so-y-te, level: so, names: [{name: Y}], parent: so-yte}]")


def test_a_directory_is_written_and_read_back_equal():
    assert read(dump(NGHE_AN), DirectoryFile) == NGHE_AN


def test_folding_takes_off_case_and_tones():
    assert fold("Thị xã  THÁI Hoà\nĐ") == "thi xa thai hoa d"


def test_a_circle_is_found_and_a_tree_is_none():
    assert set(find_cycle({"a": ["b"], "b": ["c"], "c": ["a"]})) == {"a", "b", "c"}
    assert find_cycle({"a": ["b", "c"], "b": ["c"], "c": []}) == ()


def test_the_example_of_two_levels_has_130_communes_and_a_source_for_every_entry() -> None:
    two_levels = load_directory(CONFIG / "agencies/nghe-an-2025.yaml")
    communes = [each for each in two_levels.agencies if each.level == "xa"]
    wards = [each for each in communes if each.names[-1].name.startswith("UBND phường ")]
    assert (len(communes), len(wards)) == (130, 11)
    assert {two_levels.expand(["xa-phuong-130"])} == {tuple(each.id for each in communes)}
    assert [each.id for each in two_levels.agencies if not each.source] == []
    assert all("[suy ra] trước thuộc" in each.source for each in communes)
    assert all(contact.email.endswith(".example") for each in two_levels.agencies for contact in each.contacts)
    assert two_levels.find("Sở Văn hóa, Thể thao và Du lịch") == "so-van-hoa-the-thao-du-lich"
    assert two_levels.find("UBND các xã, phường") == "xa-phuong-130"
