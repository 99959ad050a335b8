from PySide6.QtCore import QObject

from kataui.ui import single


def test_a_second_start_hands_its_file_over(qapp, qtbot, tmp_path):
    name = str(tmp_path / "s")
    seen = []
    owner = QObject()
    server = single.Server(name, seen.append, owner)
    assert server.listening

    taken = single.hand_over(name, "/images/a")
    qtbot.waitUntil(lambda: bool(seen))

    assert taken
    assert seen == ["/images/a"]
    server.close()


def test_without_a_window_nothing_is_handed_over(qapp, tmp_path):
    assert not single.hand_over(str(tmp_path / "nobody"), "x")


def test_a_socket_left_by_a_crash_is_replaced(qapp, tmp_path):
    name = tmp_path / "s"
    name.write_text("left over")

    owner = QObject()
    server = single.Server(str(name), lambda _: None, owner)

    assert server.listening
    server.close()


def test_foreign_messages_are_ignored():
    assert single.parse_message(b'{"version": 1, "open": "/a"}\n') == "/a"
    for data in (b"", b"x", b"[]", b'{"open": 3}', b'{"open": "a\\u0000b"}'):
        assert single.parse_message(data) is None
