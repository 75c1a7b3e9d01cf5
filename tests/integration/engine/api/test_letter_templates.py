"""Templates by the API: read, tried, saved; nothing with a fault is kept."""

from __future__ import annotations

from ground.office import Office

PATH = "/api/v1/templates/vi/watch"


def put(office: Office, subject: str, **more: object) -> tuple[int, dict[str, object]]:
    answer = office.client.put(PATH, json={"texts": {"subject.txt": subject}} | more)
    return answer.status_code, answer.json()


def subject(office: Office) -> tuple[str, bool]:
    (found,) = [each for each in office.get(PATH).json() if each["part"] == "subject.txt"]
    return found["text"], found["own"]


def test_a_template_is_read_tried_and_saved(office: Office) -> None:
    before = subject(office)
    assert put(office, "[Sở] cần đôn đốc", try_only=True) == (200, {"changed": 0})
    assert subject(office) == before
    assert put(office, "[Sở] cần đôn đốc") == (200, {"changed": 1})
    assert put(office, "[Sở] cần đôn đốc") == (200, {"changed": 0})
    assert subject(office) == ("[Sở] cần đôn đốc\n", True)


def test_a_fault_is_answered_with_its_file_and_line_and_nothing_is_kept(office: Office) -> None:
    before = subject(office)
    status, body = put(office, "{{ letter.tga }}")
    assert (status, body["errors"][0]["field"]) == (422, "vi/watch/subject.txt:1")  # type: ignore[index]
    assert office.client.put(PATH, json={"texts": {"../x": "y"}}).status_code == 400
    assert office.get("/api/v1/templates/vi/invoice").status_code == 404
    assert subject(office) == before
