Task<void> good() {
    co_await f();
    co_await f(a, 1, "text" "more", 'c', true, nullptr, 5s);
    co_await self->stream_.async_read(space, kToken);
    co_await link->stream().next_layer().async_read(asio::buffer(data), asio::use_awaitable);
    auto x = co_await f(std::move(a), *this, &b, a.b, a->b.c, list[0]);
    auto const [error, size] =
        co_await async_read(socket, asio::buffer(p + n, size - n), asio::as_tuple(kToken));
    Result<std::vector<int>> const y =
        co_await f<int>(g<std::map<int, A*>>(a), std::chrono::seconds(5));
}

Task<int> more_good() {
    bool const is_found = co_await f();
    if (is_found) co_await f();
    if (is_found) {
        x = co_await f();
    } else
        co_await f();
    for (auto const& a : list) co_await f(a);
    while (is_found) {
        self->x_ = co_await f(A::b(c));
    }
}

Task<int> still_good() {
    switch (n) {
        case 1: co_await f(); break;
        default: co_await f();
    }
    auto executor = co_await asio::this_coro::executor;
    co_return co_await f(a);
}

Task<Result<int>> macros() {
    INOS_CO_TRY(auto x, co_await f(a));
    INOS_CO_TRY(std::map<int, int> y, co_await f(a, std::move(b)));
    INOS_CO_CHECK(co_await f());
}

Task<int> blocks() {
    try {
        co_await f();
    } catch (E const& e) {
        co_return 1;
    }
    co_await std::move(operation);
    co_await operation(asio::deferred);
    co_return x;
}

void lambdas() {
    auto named = [](int x) -> Task<void> { co_await f(x); };
    auto captures_but_is_no_coroutine = [this] { return f(); };
    spawn(executor, [](int x) -> Task<void> {
        if (x) {
            co_await f(x);
        }
        co_return;
    }(1));
}
