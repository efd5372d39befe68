"""Names of a header: what its functions, its tables and its words are called in C and in C++."""

from __future__ import annotations

import re
from typing import Final

from adderlab.exporting.names import identifiers

_KEYWORDS: Final = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
char32_t class compl concept const consteval constexpr constinit const_cast continue co_await
co_return co_yield decltype default delete do double dynamic_cast else enum explicit export extern
false final float for friend goto if import inline int long module mutable namespace new noexcept
not not_eq nullptr operator or or_eq override private protected public register reinterpret_cast
requires restrict return short signed sizeof static static_assert static_cast struct switch template
this thread_local throw true try typedef typeid typename typeof typeof_unqual union unsigned using
virtual void volatile wchar_t while xor xor_eq
"""

_TYPES_AND_MACROS: Final = """
int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t int_fast8_t int_fast16_t
int_fast32_t int_fast64_t uint_fast8_t uint_fast16_t uint_fast32_t uint_fast64_t int_least8_t
int_least16_t int_least32_t int_least64_t uint_least8_t uint_least16_t uint_least32_t uint_least64_t
intmax_t uintmax_t intptr_t uintptr_t ptrdiff_t size_t ssize_t max_align_t wint_t va_list float_t
double_t time_t clock_t tm FILE div_t ldiv_t lldiv_t jmp_buf sig_atomic_t fpos_t off_t pid_t
NULL EOF BUFSIZ RAND_MAX NAN INFINITY HUGE_VAL CHAR_BIT I complex imaginary noreturn assert errno
stdin stdout stderr setjmp offsetof isnan isinf isfinite isnormal signbit fpclassify unix linux i386
arm mips sun vax hpux sgi near far huge interrupt pascal cdecl asm typeof min max abs PI EULER
"""

_FUNCTIONS: Final = """
main abort abs acos acosh asctime asin asinh atan atan2 atanh atexit atof atoi atol atoll bsearch
calloc cbrt ceil clearerr clock copysign cos cosh ctime difftime div erf erfc exit exp exp2 expm1
fabs fclose fdim feof ferror fflush fgetc fgetpos fgets floor fma fmax fmin fmod fopen fprintf fputc
fputs fread free freopen frexp fscanf fseek fsetpos ftell fwrite getc getchar getenv gets gmtime
hypot ilogb isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper
isxdigit labs ldexp ldiv lgamma llabs lldiv llrint llround localtime log log10 log1p log2 logb
longjmp lrint lround malloc mblen memchr memcmp memcpy memmove memset mktime modf nan nearbyint
nextafter nexttoward perror pow printf putc putchar puts qsort raise rand realloc remainder remove
remquo rename rewind rint round scalbln scalbn scanf setbuf setvbuf signal sin sinh snprintf sprintf
sqrt srand sscanf strcat strchr strcmp strcoll strcpy strcspn strerror strftime strlen strncat
strncmp strncpy strpbrk strrchr strspn strstr strtod strtof strtok strtol strtold strtoll strtoul
strtoull strxfrm system tan tanh tgamma time tmpfile tmpnam tolower toupper trunc ungetc va_arg
vfprintf vprintf vscanf vsprintf accept access alarm basename bcmp bcopy bind brk bzero chdir chmod
chown close connect dirname dup dup2 environ exec execv execve ffs fork fsync ftok gamma getopt
getpid index j0 j1 jn kill link listen lseek mkdir mmap nice open optarg optind opterr pause pipe
poll rand_r random read readlink recv regex rindex rmdir sbrk select send shutdown sleep socket stat
stime strdup swab symlink sync tempnam times truncate ttyname umask unlink usleep utime vfork wait
write y0 y1 yn setup loop delay
"""

RESERVED: Final = frozenset(f"{_KEYWORDS} {_TYPES_AND_MACROS}".split())
"""Keywords of C and of C++, and names of headers that would not do for a variable."""

TAKEN: Final = RESERVED | frozenset(_FUNCTIONS.split())
"""The same and the functions of the library, which a function may not be called like."""


def base_name(stem: str) -> str:
    """Return what a header's functions are called: its file's name without the ending.

    Examples:
        >>> base_name("half-adder"), base_name("main"), base_name("2 bits")
        ('half_adder', 'main_net', 'net_2_bits')
    """
    plain = re.sub(r"[-. ]", "_", stem)
    (name,) = identifiers([plain or "net"]).values()
    name = name.strip("_") or "net"
    while "__" in name:  # C++ keeps these for itself
        name = name.replace("__", "_")
    if not name[0].isalpha():
        name = f"net_{name}"
    return f"{name}_net" if name in TAKEN else name
