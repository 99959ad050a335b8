"""Several lines of text in one field: typed or chosen, added, and taken out again."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout

from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.fields import TextField, choose_path
from kataui.ui.widgets.listbox import ItemList


class ItemsField(TextField):
    """``items`` are those that were added, and what is typed and was not added yet."""

    def __init__(
        self,
        name: str,
        *,
        icon: str = "file",
        files: bool = False,
        folders: bool = False,
        help_text: str = "",
        placeholder: str = "",
    ) -> None:
        """``files`` and ``folders`` offer to choose one beside typing."""
        super().__init__(name, help_text=help_text, placeholder=placeholder)
        self._name = name
        self._items: tuple[str, ...] = ()
        self._list = ItemList(f"Added: {name}", empty="", icon=icon)
        self._list.removed.connect(self._remove)
        self._mode = "folder" if folders else "open"
        if files or folders:
            what = "Folder" if folders else "File"
            choose = f"Choose a {what.lower()}: {name}"
            self._line.addWidget(Button(f"{what}…", self._choose, name=choose))
        self._line.addWidget(Button("Add", self._add, icon="plus", name=f"Add: {name}"))
        self.edit.returnPressed.connect(self._add)
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(1, self._list)
        self._list.hide()

    @property
    def items(self) -> tuple[str, ...]:
        """All of them, each once, in their order."""
        typed = (self.text,) if self.text else ()
        return tuple(dict.fromkeys((*self._items, *typed)))

    def set_items(self, items: Sequence[str]) -> None:
        """Replace all of them."""
        self._items = tuple(items)
        self._list.show_items([(item, item) for item in self._items])
        self._list.setVisible(bool(self._items))
        self.changed.emit("")

    def _add(self) -> None:
        if self.text:
            items = self.items
            self.set_text("")
            self.set_items(items)

    def _choose(self) -> None:
        choose_path(self, self._name, self._mode, self.text, self._add_file)

    def _add_file(self, path: str) -> None:
        items = tuple(dict.fromkeys((*self._items, path)))
        self.set_items(items)

    def _remove(self, item: str) -> None:
        self.set_items([other for other in self._items if other != item])
        self.edit.setFocus()
