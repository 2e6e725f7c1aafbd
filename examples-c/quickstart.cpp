// Alice writes on her phone, Bob reads on his: the quick start in C++.
#include <policysync.hpp>

#include <iostream>

int main() try {
    using namespace policysync;

    const Key alice = Key::generate("alice");
    Replica phone_of_alice(Options().write_as(alice));
    Replica phone_of_bob;
    phone_of_bob.register_key("alice", alice.public_key());

    const std::string op = phone_of_alice.set_text({"Task", "t1", "title"}, "Hello world");
    phone_of_bob.ingest(op);
    std::cout << "received: " << phone_of_bob.get_text({"Task", "t1", "title"}).value() << '\n';

    // A guard is any function of an operation.
    Replica only_tasks(Options().guard([](const policysync_op &offered) {
        return view(offered.entity) == "Task" ? Verdict::admit : Verdict::reject;
    }));
    only_tasks.register_key("alice", alice.public_key());
    only_tasks.ingest(op);
    try {
        only_tasks.ingest(phone_of_alice.set_integer({"Salary", "mine", "sum"}, 1000000));
    } catch (const Error &error) {
        std::cout << error.what() << '\n';
    }
    return 0;
} catch (const policysync::Error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
