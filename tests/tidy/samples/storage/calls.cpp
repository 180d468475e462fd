#include <chrono>
#include <filesystem>  // expect: banned-call

using Clock = std::chrono::steady_clock;

void bad() {
    auto a = std::chrono::system_clock::now();          // expect: banned-call
    auto b = std::chrono::steady_clock::now();          // expect: banned-call
    auto c = Clock::now();                              // expect: banned-call
    std::random_device d;                               // expect: banned-call
    auto e = std::getenv("HOME");                       // expect: banned-call
    auto f = ::getenv("HOME");                          // expect: banned-call
    auto g = std::filesystem::exists("x");              // expect: banned-call
    auto h = rand() + std::time(nullptr);               // expect: banned-call
    printf("x");                                        // expect: banned-call
    std::cout << "x";                                   // expect: banned-call
}
