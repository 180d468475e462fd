// Text in strings and comments is not code: getenv("X"), co_await f({}), std::random_device.
char const* const kText = "getenv(\"X\"); co_await f({}); std::random_device";
char const* const kRaw = R"(std::cout << "co_await [x] { };" )";
char const kQuote = '"';
int const kMillion = 1'000'000;
// Columns are characters, not bytes: äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü 100

struct LongStructsAreFine {
    int a = 0;
    int b = 0;
    int c = 0;
    int d = 0;
    int e = 0;
    int f = 0;
    int g = 0;
    int h = 0;
    int i = 0;
    int j = 0;
    int k = 0;
    int l = 0;
};

int const kLongTables[] = {
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
};

int twelve_lines_are_fine() {
    int a = 0;
    a += 1;
    a += 2;
    a += 3;
    a += 4;
    a += 5;
    a += 6;
    a += 7;
    a += 8;
    return a;
}
