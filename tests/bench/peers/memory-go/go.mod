module libkeep.test/bench/peers/memory-go

go 1.24

require github.com/awnumar/memguard v0.22.5

require (
	github.com/awnumar/memcall v0.2.0 // indirect
	golang.org/x/crypto v0.16.0 // indirect
	golang.org/x/sys v0.15.0 // indirect
)
