#include <gtest/gtest.h>
int pairing_placeholder;
