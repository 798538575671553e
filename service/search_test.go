package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestJobs_byValuesInside(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		make := func(typ, input, output string) int64 {
			return f.create(service.NewJob{Type: typ, Input: models.JSON(input), Output: models.JSON(output)}).ID
		}
		one := make("resize", `{"user": {"id": 42, "name": "Anna B"}, "tags": ["x", {"k": "y"}], "big": 12345678901234567890, "on": true, "no": null}`, ``)
		two := make("mail", `{"user": {"id": "42"}, "0": "zero", "on": false}`, `{"code": "not found"}`)
		make("plain", `"input.user.id:42"`, `[1, 2]`)
		empty := f.queue("input.x").ID
		for text, want := range map[string][]int64{
			"input.user.id:42":                       {one, two},
			"input.user.id:42 resize":                {one},
			"res input.user.id:42":                   {one},
			`input.user.name:"Anna B"`:               {one},
			"input.user.name:Anna":                   {},
			"input.tags.0:x":                         {one},
			"input.tags.1.k:y":                       {one},
			"input.0:zero":                           {two},
			"input.big:12345678901234567890":         {one},
			"input.big:12345678901234567891":         {},
			"input.on:true":                          {one},
			"input.on:false":                         {two},
			"input.no:null":                          {one},
			`output.code:"not found"`:                {two},
			`output.code:"not found" input.on:true`:  {},
			`output.code:"not found" input.on:false`: {two},
			"input.user.id:42 input.user.name:Anna":  {},
			"input.user.id:42' OR 1=1 --":            {},
			"input.user':1":                          {},
			`input.a\b:1`:                            {},
			"input.$:1":                              {},
			"input.x":                                {empty},
			"input.?:1":                              {},
			"input.user.id:?":                        {},
			"input.{}:1":                             {},
		} {
			require.Equal(t, want, append([]int64{}, f.list(service.JobFilter{Text: text})...), text)
		}
		_, err := f.Jobs(t.Context(), service.JobFilter{Text: strings.Repeat("input.a:1 ", 11)})
		require.ErrorIs(t, err, models.ErrInvalid)
	})
}
