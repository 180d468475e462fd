// TODO(now): finish this expect: todo-now
// TODO(soon): may stay
//3456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 expect: columns 12345

int long_function(int a) {  // expect: function-length
    a += 1;
    a += 2;
    a += 3;
    a += 4;
    a += 5;
    a += 6;
    a += 7;
    a += 8;
    a += 9;
    a += 10;
    return a;
}

struct Widget {
    Widget(int a, int b)  // expect: function-length
        : a_{a},
          b_(b) {
        a_ += 1;
        a_ += 2;
        a_ += 3;
        a_ += 4;
        a_ += 5;
        a_ += 6;
        a_ += 7;
        a_ += 8;
        a_ += 9;
        a_ += 10;
    }

    int operator()(int a) const {  // expect: function-length
        a += 1;
        a += 2;
        a += 3;
        a += 4;
        a += 5;
        a += 6;
        a += 7;
        a += 8;
        a += 9;
        a += 10;
        return a;
    }

    int a_;
    int b_;
};

int known_to_be_long(int a) {
    a += 1;
    a += 2;
    a += 3;
    a += 4;
    a += 5;
    a += 6;
    a += 7;
    a += 8;
    a += 9;
    a += 10;
    return a;
}
