"""A network as a module of synthesizable Verilog-2001, with a test bench that checks itself."""

from adderlab.exporting.verilog.compared import compare_verilog
from adderlab.exporting.verilog.written import write_verilog

__all__ = ["compare_verilog", "write_verilog"]
