"""What is to be computed: bit functions as rules on whole numbers."""

from adderlab.tasks.catalog import CATALOG, Entry, TaskLike, as_task, table_path, task_named
from adderlab.tasks.formula import formula_task
from adderlab.tasks.sampling import Samples, sample
from adderlab.tasks.tables import read_table, table
from adderlab.tasks.tabulated import table_from_record
from adderlab.tasks.task import Row, RowBlock, Task, Word

__all__ = [
    "CATALOG",
    "Entry",
    "Row",
    "RowBlock",
    "Samples",
    "Task",
    "TaskLike",
    "Word",
    "as_task",
    "formula_task",
    "read_table",
    "sample",
    "table",
    "table_from_record",
    "table_path",
    "task_named",
]
