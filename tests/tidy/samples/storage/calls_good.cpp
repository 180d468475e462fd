void good(Clock& clock, Random& random) {
    auto a = clock.now();
    auto b = random.rand();
    auto c = settings->getenv("HOME");
    auto d = inos::rand();
    std::fprintf(stderr, "x");
    auto filesystem = 1;
    timer.expires_after(std::chrono::steady_clock::duration(1));
}
