#include <gtest/gtest.h>
int topologies_placeholder;
