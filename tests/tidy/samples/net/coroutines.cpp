Task<void> conditions() {
    if (co_await f()) return;                             // expect: coroutine
    while (co_await f()) {}                               // expect: coroutine
    switch (co_await f()) {}                              // expect: coroutine
    if (auto x = co_await f()) {}                         // expect: coroutine
    for (auto x : co_await f()) {}                        // expect: coroutine
    EXPECT_EQ(co_await f(), 1);                           // expect: coroutine
    co_await f(co_await g());                             // expect: coroutine
}

Task<void> expressions() {
    auto x = 1 + co_await f();                            // expect: coroutine
    auto y = co_await f() + 1;                            // expect: coroutine
    auto z = !co_await f();                               // expect: coroutine
    auto v = (co_await f()).value();                      // expect: coroutine
    auto w = ok ? co_await f() : 0;                       // expect: coroutine
    T t{co_await f()};                                    // expect: coroutine
    g(1).x = co_await f();                                // expect: coroutine
    co_await (f() || g());                                // expect: coroutine
    co_await f() && g();                                  // expect: coroutine
    x += co_await f();                                    // expect: coroutine
}

Task<void> arguments() {
    co_await f({});                                       // expect: coroutine
    co_await f({.a = s});                                 // expect: coroutine
    co_await f(Options{s, 1});                            // expect: coroutine
    co_await f(Options(s, 1));                            // expect: coroutine
    co_await f(ns::options{s, 1});                        // expect: coroutine
    co_await f([] { return 1; });                         // expect: coroutine
    co_await f(a, [this] { return 1; });                  // expect: coroutine
}

Task<void> more_arguments() {
    co_await f(a + b);                                    // expect: coroutine
    co_await f(a == b);                                   // expect: coroutine
    co_await f(a ? b : c);                                // expect: coroutine
    co_await f(g([x] { return x; }));                     // expect: coroutine
    co_await f(std::vector<int>{1, 2});                   // expect: coroutine
    co_await f(g(Options{1}));                            // expect: coroutine
    co_await f(1 + 2);                                    // expect: coroutine
}

Task<void> forms() {
    co_await Awaiter{};                                   // expect: coroutine
    co_await Awaiter(1);                                  // expect: coroutine
    co_await [] { return f(); }();                        // expect: coroutine
    INOS_CO_TRY(auto x, (co_await f()).value());          // expect: coroutine
    INOS_CO_TRY(auto x, co_await f({}));                  // expect: coroutine
    INOS_CO_TRY(auto x, g(co_await f()));                 // expect: coroutine
}

void lambdas() {
    auto a = [this]() -> Task<void> { co_await f(); };    // expect: coroutine-lambda
    auto b = [x](int y) mutable -> Task<int> {
        if (y) {
            co_return x;                                  // expect: coroutine-lambda
        }
    };
    auto c = [&] { co_await f(); };                       // expect: coroutine-lambda
}
