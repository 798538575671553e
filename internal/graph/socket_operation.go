package graph

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/teamstarter/gnj/internal/exchange"
	"github.com/teamstarter/gnj/models"
)

// operation is what goes on over a socket under one id: a subscription, or a
// query or mutation that answers once. Operations begin in the order they were
// sent, so that a client that subscribes, and then creates a job, is told of it.
type operation struct {
	id     string
	params *graphql.RawParams
	end    context.CancelFunc
	after  <-chan struct{} // closed when the one before it has begun
	begun  chan struct{}
}

// maxOperations bounds what one connection may have going on at once.
const maxOperations = 200

var errDuplicate = errors.New("there is an operation with this id")

// admit notes an operation. The context is its own and ends with it.
func (s *socket) admit(ctx context.Context, id string, params *graphql.RawParams) (context.Context, *operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active[id] != nil {
		return nil, nil, errDuplicate
	}
	if len(s.active) >= maxOperations {
		return nil, nil, refusal(codeBadRequest, "more than %d operations at once; complete some, or open another connection", maxOperations)
	}
	own, end := context.WithCancel(ctx)
	op := &operation{id: id, params: params, end: end, after: s.last, begun: make(chan struct{})}
	s.active[id], s.last = op, op.begun
	return own, op, nil
}

// finish ends an operation, and reports whether nobody did so before. Its id
// may be used again from then on.
func (s *socket) finish(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.end()
	if s.active[op.id] != op {
		return false
	}
	delete(s.active, op.id)
	return true
}

// abandon ends the operation that the client has completed. Completing one
// that is not there is harmless: the two may cross.
func (s *socket) abandon(id string) {
	s.mu.Lock()
	op := s.active[id]
	s.mu.Unlock()
	if op != nil {
		s.finish(op)
	}
}

// endAll ends every operation; none can be sent any more.
func (s *socket) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.active {
		op.end()
	}
}

// operate executes an operation and sends its answers as they come, in the
// socket's ctx, until own ends.
func (s *socket) operate(ctx, own context.Context, op *operation) {
	x := exchange.New(nil, s.r.WithContext(own))
	defer s.finish(op)
	defer func() {
		if v := recover(); v != nil {
			x.Undo()
			s.fail(ctx, op, gqlerror.List{gqlerror.WrapIfUnwrapped(s.api.recovered(ctx, v))})
		}
	}()
	responses, own, errs := s.begin(x.R.Context(), op)
	if len(errs) > 0 {
		s.fail(ctx, op, errs)
		return
	}
	for response := responses(own); response != nil; response = responses(own) {
		if !s.deliver(ctx, own, op, response) {
			x.Undo()
			return
		}
	}
	closing := own.Err() != nil   // then the close says all
	if s.finish(op) && !closing { // not when the client has completed it
		_ = s.send(ctx, message{ID: op.id, Type: "complete"})
	}
}

type socketKey struct{}

// begin checks an operation, and opens its stream if it is a subscription. The
// context is that of its answers.
func (s *socket) begin(own context.Context, op *operation) (graphql.ResponseHandler, context.Context, gqlerror.List) {
	<-op.after
	defer close(op.begun)
	own = graphql.StartOperationTrace(context.WithValue(own, socketKey{}, s))
	checked, refused := s.api.prepare(own, op.params, s.r.Header)
	if refused != nil {
		return nil, nil, refused.Errors
	}
	responses, own := s.api.exec.DispatchOperation(own, checked)
	if checked.Operation.Operation == ast.Subscription { // whose field gqlgen leaves out of the path of errors
		for _, field := range graphql.CollectFields(checked, checked.Operation.SelectionSet, []string{"Subscription"}) {
			own = graphql.WithFieldContext(own, &graphql.FieldContext{Object: "Subscription", Field: field})
		}
	}
	return responses, own, nil
}

// deliver sends an answer, and reports whether it left.
func (s *socket) deliver(ctx, own context.Context, op *operation, response *graphql.Response) bool {
	payload, err := encode(response)
	if err != nil { // a fault of ours
		s.fail(ctx, op, gqlerror.List{refusal(string(models.CodeInternal), "%s", s.api.internal(ctx, err))})
		return false
	}
	return s.sendFor(ctx, own, message{ID: op.id, Type: "next", Payload: payload}) == nil
}

// fail ends an operation with what was wrong with it.
func (s *socket) fail(ctx context.Context, op *operation, errs gqlerror.List) {
	if s.finish(op) {
		_ = s.sendErrors(ctx, op.id, errs)
	}
}

func (s *socket) sendErrors(ctx context.Context, id string, errs gqlerror.List) error {
	payload, err := json.Marshal(bounded(errs))
	if err != nil {
		return err
	}
	return s.send(ctx, message{ID: id, Type: "error", Payload: payload})
}
