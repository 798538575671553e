package bench

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
)

// usage is what a process has used.
type usage struct {
	CPUSeconds   float64 `json:"cpuSeconds"`
	MemoryBytes  int64   `json:"memoryBytes"` // resident now
	Statements   int64   `json:"statements"`  // 0 unless counted
	Transactions int64   `json:"transactions"`
}

// less is what was used since before.
func (u usage) less(before usage) usage {
	u.CPUSeconds -= before.CPUSeconds
	u.Statements -= before.Statements
	u.Transactions -= before.Transactions
	return u
}

// plus is what two processes have used.
func (u usage) plus(other usage) usage {
	u.CPUSeconds += other.CPUSeconds
	u.MemoryBytes += other.MemoryBytes
	u.Statements += other.Statements
	u.Transactions += other.Transactions
	return u
}

func processUsage() usage { return usage{CPUSeconds: cpuSeconds(), MemoryBytes: memoryBytes()} }

// memoryBytes is the resident memory on Linux; elsewhere what Go has from the
// system, which is near it.
func memoryBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		if fields := bytes.Fields(text); len(fields) > 1 {
			if pages, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				return pages * int64(os.Getpagesize())
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}
