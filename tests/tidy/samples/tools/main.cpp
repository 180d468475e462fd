#include <chrono>
#include <filesystem>
#include <iostream>
#include "adapters/shop/shop.hpp"
#include "net/session.hpp"

int main() {
    std::cout << std::filesystem::current_path() << std::chrono::system_clock::now();
    printf("%s", getenv("HOME"));
}
