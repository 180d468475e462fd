// Nothing names this file. expect: dead-file
