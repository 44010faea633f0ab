// SPDX-License-Identifier: MIT

package keep_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// observed makes an observer that listens on a path; agents stall after so long.
func observed(t *testing.T, threshold time.Duration, options *keep.ObserverOptions) (*keep.Observer, string) {
	t.Helper()
	limits := keep.NewTrackerOptions()
	limits.ThresholdNS = uint64(threshold)
	tracker := closing(t, must(keep.NewTracker(limits)))
	observer := closing(t, must(keep.NewObserver(tracker, options)))
	path := filepath.Join(t.TempDir(), "beats")
	wantStatus(t, keep.OK, observer.Listen(at(path)))
	return observer, path
}

// at is options to listen on a path.
func at(path string) *keep.ListenOptions {
	options := keep.NewListenOptions()
	options.Path = path
	return options
}

// patient is options of an observer that takes beats as fast as they come.
func patient() *keep.ObserverOptions {
	options := keep.NewObserverOptions()
	options.PerPIDRate, options.GlobalRate = 0, 0
	return options
}

// beats is options of a patient observer that reports each beat.
func beats() *keep.ObserverOptions {
	options := patient()
	options.ReportBeats = true
	return options
}

// beaconTo makes a beacon that beats to a path.
func beaconTo(t *testing.T, path string) *keep.Beacon {
	t.Helper()
	options := keep.NewBeaconOptions()
	options.Path = path
	return closing(t, must(keep.NewBeacon(options)))
}

// wantEvents fails the test unless the observer has told events of these kinds.
func wantEvents(t *testing.T, got []keep.Event, want ...keep.EventKind) {
	t.Helper()
	var kinds []keep.EventKind
	for _, event := range got {
		kinds = append(kinds, event.Kind)
	}
	if !slices.Equal(kinds, want) {
		t.Fatalf("expected %v, got %v", want, kinds)
	}
}

func TestAnObserverHearsABeacon(t *testing.T) {
	observer, path := observed(t, time.Second, beats())
	beacon := beaconTo(t, path)
	outcome := must(beacon.Beat(keep.HealthDegraded, 7))
	if outcome.Kind != keep.OutcomeSent || outcome.Dropped != 0 || outcome.Nonce == 0 {
		t.Errorf("got %+v", outcome)
	}
	must(beacon.Register(&keep.AgentSettings{ThresholdNS: 2_000_000_000}))
	must(beacon.Goodbye())
	events := must(observer.Poll(nil))
	wantEvents(t, events, keep.EventBeat, keep.EventRegistered, keep.EventGoodbye)
	beat := events[0]
	if beat.PID != uint32(os.Getpid()) || beat.UID != uint32(os.Getuid()) || beat.Health != keep.HealthDegraded ||
		beat.Payload != 7 || beat.Origin != keep.OriginKernel || beat.Nonce != outcome.Nonce {
		t.Errorf("got %+v", beat)
	}
	if stats := must(observer.Stats()); stats.Datagrams != 3 {
		t.Errorf("got %+v", stats)
	}
	if got := observer.String(); got != "keep.Observer(3 datagrams)" {
		t.Errorf("got %s", got)
	}
	text := string(must(observer.Metrics([]byte("# mine\n"))))
	if !strings.HasPrefix(text, "# mine\n") || !strings.Contains(text, "\nkeep_observer_datagrams_total 3\n") {
		t.Errorf("got %s", text)
	}
}

func TestAPollGivesWhatThereIsRoomFor(t *testing.T) {
	observer, path := observed(t, time.Second, nil)
	beacon := beaconTo(t, path)
	for range 3 {
		must(beacon.Register(nil))
	}
	wantEvents(t, must(observer.Poll(make([]keep.Event, 0, 1))), keep.EventRegistered)
	_, err := observer.Feed(nil, []keep.Datagram{{Source: keep.SourceUnix}}, 0)
	wantStatus(t, keep.ErrBusy, err)
	wantEvents(t, must(observer.Poll(nil)), keep.EventRegistered, keep.EventRegistered)
}

// tracker R42 to R45
func TestSealedBeats(t *testing.T) {
	observer, _ := observed(t, time.Second, beats())
	master := secretOf(t, strings.Repeat("m", 32))
	wantStatus(t, keep.OK, observer.AddKey(master, keep.BeatMaster))
	wantStatus(t, keep.ErrState, observer.AddKey(master, keep.BeatMaster))
	agent := closing(t, must(keep.BeaconAgentKey(master, 42)))
	wantStatus(t, keep.OK, observer.AddKey(agent, keep.BeatShared))
	now := uint64(0)
	for mode, length := range map[keep.BeatMode]int{keep.BeatShared: 60, keep.BeatMaster: 64} {
		beacon := closing(t, must(keep.NewBeacon(&keep.BeaconOptions{Mode: mode, Key: agent, AgentPID: 42, StartNonce: now})))
		now += 1000
		wire := must(beacon.Prepare(make([]byte, 1), keep.HealthOK, 0, now))
		if len(wire) != 1+length {
			t.Fatalf("%d bytes", len(wire))
		}
		must(beacon.Commit(0))
		datagram := keep.Datagram{Source: keep.SourceUDPSealed, Data: wire[1:]}
		wantEvents(t, must(observer.Feed(nil, []keep.Datagram{datagram}, now)), keep.EventBeat)
		wantEvents(t, must(observer.Feed(nil, []keep.Datagram{datagram}, now)))
	}
	if stats := must(observer.Stats()); stats.ReplayRefused != 2 {
		t.Errorf("got %+v", stats)
	}
	must(keep.Purge())
	_, err := observer.Poll(nil)
	var failure *keep.Error
	if !errors.Is(err, keep.ErrPurged) || !errors.As(err, &failure) || failure.Op != "Observer.Poll" {
		t.Errorf("got %v", err)
	}
}

func TestObserversRefuseBadArguments(t *testing.T) {
	tracker := closing(t, must(keep.NewTracker(nil)))
	for name, change := range map[string]func(*keep.ObserverOptions){
		"budget 0":  func(o *keep.ObserverOptions) { o.Budget = 0 },
		"budget -1": func(o *keep.ObserverOptions) { o.Budget = -1 },
		"clock 2":   func(o *keep.ObserverOptions) { o.Clock = 2 },
		"65 uids":   func(o *keep.ObserverOptions) { o.UIDs = make([]uint32, keep.MaxAllowedUIDs+1) },
	} {
		t.Run(name, func(t *testing.T) {
			options := keep.NewObserverOptions()
			change(options)
			_, err := keep.NewObserver(tracker, options)
			wantStatus(t, keep.ErrInvalidArgument, failing(err))
		})
	}
	_, err := keep.NewObserver(ledger(t, 1), nil) // a threshold below 10 ms
	wantStatus(t, keep.ErrInvalidArgument, failing(err))
	observer := closing(t, must(keep.NewObserver(tracker, nil)))
	for name, options := range map[string]*keep.ListenOptions{
		"nil":        nil,
		"nothing":    keep.NewListenOptions(),
		"NUL":        at("a\x00b"),
		"too long":   at(strings.Repeat("x", 108)),
		"two":        {Path: "/x", Address: "127.0.0.1", FD: -1},
		"no number":  {FD: 1 << 32},
		"no socket":  {FD: 0},
		"plain":      {FD: -1, Address: "127.0.0.1", Port: 1},
		"everywhere": {FD: -1, Address: "0.0.0.0", Sealed: true},
	} {
		t.Run(name, func(t *testing.T) { wantStatus(t, keep.ErrInvalidArgument, failing(observer.Listen(options))) })
	}
	_, err = observer.Feed(nil, make([]keep.Datagram, keep.MaxBatch+1), 0)
	wantStatus(t, keep.ErrInvalidArgument, err)
	wantStatus(t, keep.ErrInvalidArgument, observer.AddKey(nil, keep.BeatShared))
	wantStatus(t, keep.ErrInvalidArgument, observer.AddKey(secretOf(t, "short"), keep.BeatShared))
	closed := must(keep.GenerateSecret(nil, 32))
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.ErrClosed, observer.AddKey(closed, keep.BeatShared))
}

// failing gives the status that an error wraps.
func failing(err error) error {
	status := keep.OK
	if errors.As(err, &status) {
		return status
	}
	return err
}

// tracker R26
func TestAPathIsListenedOnOnce(t *testing.T) {
	observer, path := observed(t, time.Second, nil)
	err := observer.Listen(at(path))
	var failure *keep.Error
	if !errors.Is(err, keep.ErrBusy) || !errors.As(err, &failure) || failure.Op != "Observer.Listen" {
		t.Errorf("got %v", err)
	}
	if mode := must(os.Stat(path)).Mode(); mode.Perm() != 0o600 {
		t.Errorf("mode %v", mode)
	}
	wantStatus(t, keep.OK, observer.Close())
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the path is still there: %v", err)
	}
}

func TestAnObserverTakesASupervisorsSocket(t *testing.T) {
	tracker := closing(t, must(keep.NewTracker(nil)))
	observer := closing(t, must(keep.NewObserver(tracker, nil)))
	fd := must(syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0))
	defer syscall.Close(fd)
	path := filepath.Join(t.TempDir(), "beats")
	wantStatus(t, keep.OK, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	options := keep.NewListenOptions()
	options.FD = fd
	wantStatus(t, keep.OK, observer.Listen(options))
	must(beaconTo(t, path).Register(nil))
	wantEvents(t, must(observer.Poll(nil)), keep.EventRegistered)
}

// bindings 5: freed in any order, closed, zero and nil
func TestObserversThatAreNone(t *testing.T) {
	tracker := must(keep.NewTracker(nil))
	closed := must(keep.NewObserver(tracker, nil))
	wantStatus(t, keep.OK, tracker.Close())
	wantEvents(t, must(closed.Feed(nil, nil, 0)))
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, closed.Close())
	for observer, want := range map[*keep.Observer]keep.Status{
		closed: keep.ErrClosed, new(keep.Observer): keep.ErrClosed, nil: keep.ErrInvalidArgument,
	} {
		wantAll(t, want, map[string]func() error{
			"Listen":  func() error { return observer.Listen(at("/x")) },
			"AddKey":  func() error { return observer.AddKey(secretOf(t, strings.Repeat("k", 32)), keep.BeatShared) },
			"Poll":    func() error { _, err := observer.Poll(nil); return err },
			"Feed":    func() error { _, err := observer.Feed(nil, nil, 0); return err },
			"Wait":    func() error { _, err := observer.Wait(t.Context()); return err },
			"Stats":   func() error { _, err := observer.Stats(); return err },
			"Metrics": func() error { _, err := observer.Metrics(nil); return err },
		})
		if event, open := <-observer.Events(t.Context()); open {
			t.Errorf("an event: %v", event)
		}
	}
	wantStatus(t, keep.OK, new(keep.Observer).Close())
	wantStatus(t, keep.ErrInvalidArgument, (*keep.Observer)(nil).Close())
}

// agent starts this program again as an agent that beats to the path, and gives it when it has begun; see TestAgent.
func agent(t *testing.T, path, does string) (*exec.Cmd, io.Closer) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestAgent$")
	child.Env = append(os.Environ(), "KEEP_TEST_OBSERVER="+path, "KEEP_TEST_AGENT="+does)
	stdin := must(child.StdinPipe())
	wantStatus(t, keep.OK, child.Start())
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	})
	return child, stdin
}

// TestAgent is what the children of other tests run.
func TestAgent(t *testing.T) {
	does, is := os.LookupEnv("KEEP_TEST_AGENT")
	if !is {
		t.Skip("for children")
	}
	beacon := beaconTo(t, os.Getenv("KEEP_TEST_OBSERVER"))
	wantStatus(t, keep.OK, beacon.Arm())
	defer beacon.CrashOnPanic()
	end, runs := contextOfInput(t), t.Context()
	if does != "panic" {
		runs = end
	}
	wantStatus(t, keep.OK, beacon.Every(runs, 20*time.Millisecond, func() error {
		if does == "panic" && end.Err() != nil {
			panic("as it was told to")
		}
		if does == "sick" {
			return errors.New("sick")
		}
		return nil
	}))
}

// wantNext waits for events until one of the kind comes, and fails the test if one of the others comes first.
func wantNext(t *testing.T, events <-chan keep.Event, pid int, want keep.EventKind, never ...keep.EventKind) keep.Event {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case event := <-events:
			if event.Kind == want && event.PID == uint32(pid) {
				return event
			}
			if slices.Contains(never, event.Kind) {
				t.Fatalf("expected %v, got %+v", want, event)
			}
		case <-late:
			t.Fatalf("no %v", want)
		}
	}
}

// tracker T3
func TestProcessesThatStopAndEnd(t *testing.T) {
	observer, path := observed(t, 300*time.Millisecond, nil)
	events := observer.Events(t.Context())
	child, _ := agent(t, path, "beat")
	pid := child.Process.Pid
	wantNext(t, events, pid, keep.EventRegistered)
	wantStatus(t, keep.OK, child.Process.Signal(syscall.SIGSTOP))
	stall := wantNext(t, events, pid, keep.EventStall, keep.EventExited)
	if stall.SilenceNS < uint64(300*time.Millisecond) || stall.Stalled != 1 || stall.Agents != 1 {
		t.Errorf("got %+v", stall)
	}
	wantStatus(t, keep.OK, child.Process.Signal(syscall.SIGCONT))
	wantNext(t, events, pid, keep.EventRecovered, keep.EventExited)
	wantStatus(t, keep.OK, child.Process.Kill())
	wantNext(t, events, pid, keep.EventExited, keep.EventGoodbye)
}

func TestAProcessThatSaysGoodbye(t *testing.T) {
	observer, path := observed(t, time.Minute, nil)
	events := observer.Events(t.Context())
	child, stdin := agent(t, path, "beat")
	wantNext(t, events, child.Process.Pid, keep.EventRegistered)
	wantStatus(t, keep.OK, stdin.Close())
	wantNext(t, events, child.Process.Pid, keep.EventGoodbye, keep.EventExited)
	wantStatus(t, keep.OK, child.Wait())
}

func TestAProcessThatPanics(t *testing.T) {
	observer, path := observed(t, time.Minute, nil)
	events := observer.Events(t.Context())
	child, stdin := agent(t, path, "panic")
	wantNext(t, events, child.Process.Pid, keep.EventRegistered)
	wantStatus(t, keep.OK, stdin.Close())
	crash := wantNext(t, events, child.Process.Pid, keep.EventCrash, keep.EventExited)
	if crash.Health != keep.HealthCritical {
		t.Errorf("got %+v", crash)
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("the panic ended with %v", err)
	}
}

func TestACheckThatFailsIsADegradedBeat(t *testing.T) {
	observer, path := observed(t, time.Minute, beats())
	child, _ := agent(t, path, "sick")
	beat := wantNext(t, observer.Events(t.Context()), child.Process.Pid, keep.EventBeat)
	if beat.Health != keep.HealthDegraded {
		t.Errorf("got %+v", beat)
	}
}
