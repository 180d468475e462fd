#include <filesystem>

bool exists(char const* path) { return std::filesystem::exists(path); }
char const* home() { return getenv("HOME"); }  // expect: banned-call
