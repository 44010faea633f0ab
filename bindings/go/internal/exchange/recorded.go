// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"

	keep "github.com/libkeep/libkeep/bindings/go"
)

const nsPerMS = 1_000_000

// trackerInputs is what all languages start from.
type trackerInputs struct {
	Agents      [][3]uint32 // pid, source, mode
	Frames      [][6]uint32 // agent, ms, health, payload, damage, error
	Key         string
	EndMS       uint64 `json:"end_ms"`
	ThresholdMS uint64 `json:"threshold_ms"`
}

func readTrackerInputs() (*trackerInputs, error) {
	var all struct{ Tracker *trackerInputs }
	text, err := os.ReadFile("tests/exchange/inputs.json")
	if err != nil {
		return nil, err
	}
	return all.Tracker, json.Unmarshal(text, &all)
}

func (i *trackerInputs) secret() (*keep.Secret, error) {
	key, err := hex.DecodeString(i.Key)
	if err != nil {
		return nil, err
	}
	return keep.SecretFromBytes(nil, key)
}

// frame is one as it came; in JSON [ms, source, pid, hex].
type frame struct {
	atMS   uint64
	source keep.DatagramSource
	pid    uint32
	data   string
}

func (f *frame) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{f.atMS, f.source, f.pid, f.data})
}

func (f *frame) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&f.atMS, &f.source, &f.pid, &f.data})
}

// datagram is the frame as an observer takes it.
func (f *frame) datagram() (keep.Datagram, error) {
	data, err := hex.DecodeString(f.data)
	return keep.Datagram{Data: data, NSInode: 1, Generation: 1, KernelPID: f.pid, Source: f.source}, err
}

// frames are those of one writer.
type frames struct {
	Frames []*frame `json:"frames"`
}

// detached makes the beacon of an agent.
func detached(pid uint32, mode keep.BeatMode, key *keep.Secret) (*keep.Beacon, error) {
	options := keep.NewBeaconOptions()
	options.AgentPID, options.Mode, options.ReconnectAfter = pid, mode, 0
	switch mode {
	case keep.BeatShared:
		options.Key = key
	case keep.BeatMaster:
		own, err := keep.BeaconAgentKey(key, pid)
		if err != nil {
			return nil, err
		}
		defer own.Close()
		options.Key = own
	}
	return keep.NewBeacon(options)
}

// record makes the frames that the inputs plan.
func record(inputs *trackerInputs) (*frames, error) {
	key, err := inputs.secret()
	if err != nil {
		return nil, err
	}
	defer key.Close()
	beacons := make([]*keep.Beacon, len(inputs.Agents))
	for i, agent := range inputs.Agents {
		if beacons[i], err = detached(agent[0], keep.BeatMode(agent[2]), key); err != nil {
			return nil, err
		}
		defer beacons[i].Close()
	}
	recorded := new(frames)
	for _, plan := range inputs.Frames {
		next, err := recordFrame(beacons[plan[0]], plan)
		if err != nil {
			return nil, err
		}
		agent := inputs.Agents[plan[0]]
		next.source, next.pid = keep.DatagramSource(agent[1]), agent[0]
		recorded.Frames = append(recorded.Frames, next)
	}
	return recorded, nil
}

func recordFrame(beacon *keep.Beacon, plan [6]uint32) (*frame, error) {
	atMS := uint64(plan[1])
	data, err := beacon.Prepare(nil, keep.Health(plan[2]), plan[3], atMS*nsPerMS)
	if err != nil {
		return nil, err
	}
	if _, err := beacon.Commit(syscall.Errno(plan[5])); err != nil {
		return nil, err
	}
	data[0] ^= byte(plan[4])
	return &frame{atMS: atMS, data: hex.EncodeToString(data)}, nil
}

func newJudge(inputs *trackerInputs) (*keep.Observer, error) {
	ledger, options := keep.NewTrackerOptions(), keep.NewObserverOptions()
	ledger.ThresholdNS, ledger.Statistics = inputs.ThresholdMS*nsPerMS, true
	options.AnyUID, options.ReportBeats = true, true
	tracker, err := keep.NewTracker(ledger)
	if err != nil {
		return nil, err
	}
	observer, err := keep.NewObserver(tracker, options)
	if err != nil {
		return nil, err
	}
	key, err := inputs.secret()
	if err != nil {
		return nil, err
	}
	defer key.Close()
	for _, mode := range []keep.BeatMode{keep.BeatShared, keep.BeatMaster} {
		if err := observer.AddKey(key, mode); err != nil {
			return nil, err
		}
	}
	return observer, nil
}

func rowOf(e *keep.Event) [12]uint64 {
	return [...]uint64{
		e.AtNS, uint64(e.Kind), uint64(e.Detail), uint64(e.PID), e.Nonce, e.LastNS, e.SilenceNS,
		uint64(e.Health), uint64(e.Payload), uint64(e.Origin), uint64(e.Stalled), uint64(e.Agents),
	}
}

// judge gives what an observer says when the frames come at their times, and its numbers in the end: two files.
func judge(inputs *trackerInputs, recorded *frames) (events, metrics []byte, err error) {
	observer, err := newJudge(inputs)
	if err != nil {
		return nil, nil, err
	}
	defer observer.Close()
	var told []keep.Event
	for _, one := range recorded.Frames {
		datagram, err := one.datagram()
		if err != nil {
			return nil, nil, err
		}
		if told, err = observer.Feed(told, []keep.Datagram{datagram}, one.atMS*nsPerMS); err != nil {
			return nil, nil, err
		}
	}
	if told, err = observer.Feed(told, nil, inputs.EndMS*nsPerMS); err != nil {
		return nil, nil, err
	}
	rows := make([][12]uint64, len(told))
	for i := range told {
		rows[i] = rowOf(&told[i])
	}
	metrics, err = observer.Metrics(nil)
	return compact(map[string]any{"events": rows}), append(metrics, '\n'), err
}

// writeTracker gives the files of the item.
func writeTracker() (map[string][]byte, error) {
	inputs, err := readTrackerInputs()
	if err != nil {
		return nil, err
	}
	recorded, err := record(inputs)
	if err != nil {
		return nil, err
	}
	events, metrics, err := judge(inputs, recorded)
	return map[string][]byte{
		"tracker/frames.json": compact(recorded), "tracker/events.json": events, "tracker/metrics.txt": metrics,
	}, err
}

// isSameTracker tells whether this language's observer says of the frames what the writer's did.
func isSameTracker(folder string) bool {
	inputs, err := readTrackerInputs()
	if err != nil {
		return false
	}
	var theirs frames
	text, err := os.ReadFile(filepath.Join(folder, "tracker/frames.json"))
	if err != nil || json.Unmarshal(text, &theirs) != nil || len(theirs.Frames) != len(inputs.Frames) {
		return false
	}
	events, metrics, err := judge(inputs, &theirs)
	return err == nil && isInFile(folder, "tracker/events.json", events) && isInFile(folder, "tracker/metrics.txt", metrics)
}

// isInFile tells whether a file holds these bytes.
func isInFile(folder, name string, want []byte) bool {
	content, err := os.ReadFile(filepath.Join(folder, name))
	return err == nil && bytes.Equal(content, want)
}
