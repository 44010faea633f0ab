module github.com/libkeep/libkeep/bindings/go

go 1.24
