#include <chrono>
#include <filesystem>
#include <iostream>

int main() {
    std::cout << std::filesystem::current_path() << std::chrono::system_clock::now();
    printf("%s", getenv("HOME"));
}
