package wire

import "github.com/teamstarter/gnj/models"

// CodeTooLarge is the code of a problem with a body that is over the limit,
// besides the codes of models.
const CodeTooLarge models.Code = "too_large"

// NothingHere is the detail of the problem with an address that is none. A client
// tells it from a job that is not there.
const NothingHere = "there is nothing at this address"
