int unused_;
