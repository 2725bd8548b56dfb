// SPDX-License-Identifier: Apache-2.0

// A Go server of the same streams, for Benchmarks/streams: `/all` sends a file that it holds in memory in slices of 64 KiB,
// `/live` sends one event at a time to every reader, through a bounded channel each, as Go services do.
//
//	go run stream-peer.go PORT FILE EVENTS-A-SECOND LENGTH
package main

import (
	"bytes"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	slice   = 64 << 10
	pending = 1024
)

// hub hands each live event to every reader; a reader that does not keep up is dropped.
type hub struct {
	mutex   sync.Mutex
	readers map[chan []byte]bool
}

func (h *hub) join() chan []byte {
	events := make(chan []byte, pending)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.readers[events] = true
	return events
}

func (h *hub) leave(events chan []byte) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.readers, events)
}

func (h *hub) publish(event []byte) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for events := range h.readers {
		select {
		case events <- event:
		default:
			delete(h.readers, events)
			close(events)
		}
	}
}

func (h *hub) run(rate float64, length int) {
	filler := strings.Repeat("x", length)
	number := 0
	for range time.Tick(time.Duration(float64(time.Second) / rate)) {
		line := fmt.Sprintf("n=%d t=%d %s", number, time.Now().UnixNano(), filler)
		h.publish([]byte(fmt.Sprintf("data: {\"type\":\"build\",\"msg\":\"%s\"}\n\n", line)))
		number++
	}
}

func begin(w http.ResponseWriter) http.Flusher {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	flusher := w.(http.Flusher)
	flusher.Flush()
	return flusher
}

func main() {
	backlog, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	rate, err := strconv.ParseFloat(os.Args[3], 64)
	if err != nil {
		log.Fatal(err)
	}
	length, err := strconv.Atoi(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	live := &hub{readers: map[chan []byte]bool{}}
	go live.run(rate, length)
	http.HandleFunc("/all", func(w http.ResponseWriter, r *http.Request) {
		flusher := begin(w)
		for rest := backlog; len(rest) > 0; flusher.Flush() {
			size := min(slice, len(rest))
			if end := bytes.LastIndex(rest[:size], []byte("\n\n")); end >= 0 {
				size = end + 2
			}
			if _, err := w.Write(rest[:size]); err != nil {
				return
			}
			rest = rest[size:]
		}
	})
	http.HandleFunc("/live", func(w http.ResponseWriter, r *http.Request) {
		flusher := begin(w)
		events := live.join()
		defer live.leave(events)
		for {
			select {
			case event, isOpen := <-events:
				if !isOpen {
					return
				}
				if _, err := w.Write(event); err != nil {
					return
				}
				flusher.Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
