"""Commands on periods."""

from commands.book import Book
from commands.command import Command
from domain.periods import LEDGER, Calendar, Closed
from domain.values import Day


class Close(Command, type="period.close"):
    """Through the end of that day. There is no way back: what was forgotten is entered in the next period."""

    through: Day

    def execute(self, book: Book) -> None:
        calendar = book.find(Calendar, LEDGER)
        book.record(calendar, calendar.close(Closed(through=self.through), today=book.today))
        book.close(self.through)
