package cli

import (
	"fmt"
	"net"
	"net/http"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/token"
)

// guard lets in who has a token, when there are any. What it returns puts the
// pages to sign in around the handler.
func (s serving) guard(options *gnj.Options) (around func(http.Handler) http.Handler, err error) {
	if len(s.Token) == 0 {
		return func(h http.Handler) http.Handler { return h }, nil
	}
	guard, err := token.New(s.Token, options.Logger)
	if err != nil {
		return nil, fmt.Errorf("--token (or GNJ_TOKEN): %w", err)
	}
	options.Authorize = guard.Authorize
	return guard.Around, nil
}

// closed refuses to be open to other machines without anybody having said so.
func (s serving) closed(addr net.Addr) error {
	tcp, is := addr.(*net.TCPAddr)
	if s.Insecure || len(s.Token) > 0 || is && tcp.IP.IsLoopback() {
		return nil
	}
	return fmt.Errorf("whoever reaches this machine could do everything at %s: give tokens with --token (or GNJ_TOKEN), "+
		"such as --token admin:$(openssl rand -hex 32), or listen on this machine only with --listen %s, or let everybody in with --insecure",
		s.address(), defaultListen)
}
