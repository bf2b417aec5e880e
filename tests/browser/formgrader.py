"""The formgrader in a browser, and an instructor who grades by hand in it."""

from playwright.sync_api import expect

EXERCISE = "batchnorm"
COMMENT = "Well seen. What did the running statistics do?"


class Formgrader:
    """The formgrader in a tab of JupyterLab."""

    def __init__(self, desk, assignment=EXERCISE):
        self.desk = desk
        desk.menu("Nbgrader", "Formgrader")
        self.frame = desk.page.frame_locator("iframe")
        self.row(assignment).wait_for()

    def row(self, text):
        return self.frame.locator("tr", has_text=text)

    def press(self, row, button):
        """Press a button in a row; wait for the dialog, which must tell of success; close it."""
        self.row(row).locator(f".{button} a").click()
        dialog = self.frame.locator(".modal.in")
        dialog.wait_for()
        said = dialog.inner_text()
        assert said.strip().removeprefix("×").strip().startswith("Success"), said
        dialog.get_by_role("button", name="OK").click()
        expect(self.frame.locator(".modal")).to_have_count(0)  # it fades
        return said

    def set_due_date(self, moment):
        self.row(EXERCISE).locator(".edit a").click()
        self.frame.locator(".modal-duedate").fill(moment.strftime("%Y-%m-%dT%H:%M:%S"))
        self.frame.locator(".modal-timezone").fill("+0000")
        self.desk.keep_picture("due_date")
        self.frame.get_by_role("button", name="Save").click()
        expect(self.row(EXERCISE).locator(".duedate")).to_contain_text(f"{moment:%Y-%m-%d}")

    def go(self, *links):
        for link in links:
            with self.desk.page.expect_event("framenavigated"):
                self.frame.get_by_role("link", name=link, exact=True).last.click()
            self.frame.locator("table.dataTable").wait_for()

    def expect_row(self, student, *texts):
        row = self.frame.locator("tr", has=self.frame.get_by_text(student, exact=True))
        for text in texts:
            expect(row).to_contain_text(text)

    def grade_by_hand(self, student, points):
        """Give points and a comment for the reflection of a submission, its plots in sight."""
        answered = self.desk.page.expect_response
        with answered("**/formgrader/api/grades*"), answered("**/formgrader/api/comments*"):
            named = self.frame.locator("a.name-shown", has_text=student)  # out of sight
            self.frame.locator("tr", has=named).locator("a.name-hidden").click()
        expect(self.frame.locator("img[src^='data:image/png']").first).to_be_visible()
        for field, text, kind in (
            ("#reflection", str(points), "grade"),
            ("#reflection-comment", COMMENT, "comment"),
        ):
            with answered(f"**/formgrader/api/{kind}/*") as saved:
                self.frame.locator(field).fill(text)
                self.frame.locator(field).blur()
            assert saved.value.ok
        self.desk.keep_picture("grade_by_hand")
