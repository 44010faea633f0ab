// SPDX-License-Identifier: MIT

// The exchange command writes what other languages read, and reads what they wrote:
//
//	exchange write DIR
//	exchange read DIR FROM
//	exchange finish DIR FROM
//	exchange beat PATH
//	exchange observe PATH FROM
//	exchange live PATH
//
// DIR/LANG/ holds the items of a language. PATH is the socket of an observer. It runs in the root of the repository.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	keep "github.com/libkeep/libkeep/bindings/go"
)

var numbers = map[string]int64{
	"KEEP_ACQUIRE_ALIGN16":       int64(keep.AcquireAlign16),
	"KEEP_ACQUIRE_FALLBACK":      int64(keep.AcquireFallback),
	"KEEP_ACQUIRE_GUARDED":       int64(keep.AcquireGuarded),
	"KEEP_ACQUIRE_RESIDENT":      int64(keep.AcquireResident),
	"KEEP_AEAD_AUTO":             int64(keep.AEADAuto),
	"KEEP_AEAD_DISABLED":         int64(keep.AEADDisabled),
	"KEEP_AEAD_IPSEC_MB":         int64(keep.AEADIPsecMB),
	"KEEP_AEAD_NOT_BUILT":        int64(keep.AEADNotBuilt),
	"KEEP_AEAD_NOT_FOUND":        int64(keep.AEADNotFound),
	"KEEP_AEAD_OPENSSL":          int64(keep.AEADOpenSSL),
	"KEEP_AEAD_SELF_TEST_FAILED": int64(keep.AEADSelfTestFailed),
	"KEEP_AEAD_SODIUM":           int64(keep.AEADSodium),
	"KEEP_AEAD_TOO_OLD":          int64(keep.AEADTooOld),
	"KEEP_AEAD_USABLE":           int64(keep.AEADUsable),
	"KEEP_BACKING_AUTO":          int64(keep.BackingAuto),
	"KEEP_BACKING_LOCKED":        int64(keep.BackingLocked),
	"KEEP_BACKING_MEMFD_SECRET":  int64(keep.BackingMemfdSecret),
	"KEEP_CHECK_FORK_SAFE":       int64(keep.CheckForkSafe),
	"KEEP_CHECK_GUARDS":          int64(keep.CheckGuards),
	"KEEP_CHECK_HIDDEN":          int64(keep.CheckHidden),
	"KEEP_CHECK_LOCKED":          int64(keep.CheckLocked),
	"KEEP_CHECK_NOT_DUMPED":      int64(keep.CheckNotDumped),
	"KEEP_CHECK_SEALING":         int64(keep.CheckSealing),
	"KEEP_CHECK_WIPED":           int64(keep.CheckWiped),
	"KEEP_CORE_PATTERN_FILE":     int64(keep.CorePatternFile),
	"KEEP_CORE_PATTERN_PIPE":     int64(keep.CorePatternPipe),
	"KEEP_DEFAULT_PACKET_SLOTS":  keep.DefaultPacketSlots,
	"KEEP_HANDSHAKE_DONE":        int64(keep.HandshakeDone),
	"KEEP_HANDSHAKE_KEY_LEN":     keep.HandshakeKeyLen,
	"KEEP_HANDSHAKE_READ":        int64(keep.HandshakeRead),
	"KEEP_HANDSHAKE_SPENT":       int64(keep.HandshakeSpent),
	"KEEP_HANDSHAKE_WRITE":       int64(keep.HandshakeWrite),
	"KEEP_HARDEN_NO_CORE":        int64(keep.HardenNoCore),
	"KEEP_HARDEN_NO_DUMP":        int64(keep.HardenNoDump),
	"KEEP_HARDEN_NO_NEW_CODE":    int64(keep.HardenNoNewCode),
	"KEEP_HARDEN_NO_NEW_PRIVS":   int64(keep.HardenNoNewPrivs),
	"KEEP_HARDEN_RECOMMENDED":    int64(keep.HardenRecommended),
	"KEEP_INITIATOR":             int64(keep.Initiator),
	"KEEP_KIND_GUARDED":          int64(keep.KindGuarded),
	"KEEP_KIND_SLOT":             int64(keep.KindSlot),
	"KEEP_LAYER_CRYPTO":          int64(keep.LayerCrypto),
	"KEEP_LAYER_ERRNO":           int64(keep.LayerErrno),
	"KEEP_LAYER_LOADER":          int64(keep.LayerLoader),
	"KEEP_LAYER_NONE":            int64(keep.LayerNone),
	"KEEP_LAYER_SQLITE":          int64(keep.LayerSQLite),
	"KEEP_LAYER_TSS2":            int64(keep.LayerTSS2),
	"KEEP_LOCK_ALLOW_UNLOCKED":   int64(keep.LockAllowUnlocked),
	"KEEP_LOCK_REQUIRE":          int64(keep.LockRequire),
	"KEEP_MAX_BATCH":             keep.MaxBatch,
	"KEEP_MAX_EVENT_LEN":         keep.MaxEventLen,
	"KEEP_MAX_HOT_CACHE":         keep.MaxHotCache,
	"KEEP_MAX_PACKET_EVENTS":     keep.MaxPacketEvents,
	"KEEP_MAX_PACKET_LEN":        keep.MaxPacketLen,
	"KEEP_MAX_PACKET_POOLS":      keep.MaxPacketPools,
	"KEEP_MAX_PACKET_SLOTS":      keep.MaxPacketSlots,
	"KEEP_MAX_PAYLOAD_LEN":       keep.MaxPayloadLen,
	"KEEP_MAX_POOL_BYTES":        keep.MaxPoolBytes,
	"KEEP_MAX_PROLOGUE_LEN":      keep.MaxPrologueLen,
	"KEEP_MAX_SECRETS":           keep.MaxSecrets,
	"KEEP_MAX_SECRET_LEN":        keep.MaxSecretLen,
	"KEEP_MAX_SLOT_LEN":          keep.MaxSlotLen,
	"KEEP_MAX_TIERS":             keep.MaxTiers,
	"KEEP_MIN_SLOT_LEN":          keep.MinSlotLen,
	"KEEP_NOISE_IKPSK2":          int64(keep.NoiseIKPSK2),
	"KEEP_NOISE_XXPSK3":          int64(keep.NoiseXXPSK3),
	"KEEP_PACKET_DATA":           int64(keep.PacketData),
	"KEEP_PACKET_FIN":            int64(keep.PacketFin),
	"KEEP_PACKET_HANDSHAKE":      int64(keep.PacketHandshake),
	"KEEP_PACKET_HEADER_LEN":     keep.PacketHeaderLen,
	"KEEP_PACKET_HEARTBEAT":      int64(keep.PacketHeartbeat),
	"KEEP_PACKET_NACK":           int64(keep.PacketNack),
	"KEEP_PACKET_OVERHEAD_LEN":   keep.PacketOverheadLen,
	"KEEP_PACKET_PRIORITY":       int64(keep.PacketPriority),
	"KEEP_PACKET_RELIABLE":       int64(keep.PacketReliable),
	"KEEP_PACKET_TAG_LEN":        keep.PacketTagLen,
	"KEEP_RESPONDER":             int64(keep.Responder),
	"KEEP_SEALED_OVERHEAD":       keep.SealedOverhead,
	"KEEP_UNLIMITED":             keep.Unlimited,
	"KEEP_VERSION_MAJOR":         keep.VersionMajor,
	"KEEP_VERSION_MINOR":         keep.VersionMinor,
	"KEEP_VERSION_NUMBER":        keep.VersionNumber,
	"KEEP_VERSION_PATCH":         keep.VersionPatch,
	"KEEP_WAIT_FOREVER":          keep.WaitForever,
}

// compact is JSON with sorted keys, without blanks, and a line feed.
func compact(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // numbers and texts have a form in JSON
	}
	return append(text, '\n')
}

// constants tells every public number under its name in C, every status with its number and sentence.
func constants() []byte {
	statuses := map[string][]any{}
	for status := keep.Status(1); status < 256; status++ {
		if status.Name() != "UNKNOWN" {
			statuses[status.Name()] = []any{status, status.Error()}
		}
	}
	all := map[string]any{}
	for name, number := range numbers {
		all[name] = number
	}
	for name, number := range trackerNumbers {
		all[name] = number
	}
	return compact(map[string]any{"constants": all, "statuses": statuses})
}

func hash(content []byte) string {
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

// put writes a file, and makes its folder.
func put(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o666)
}

// write makes all items of this language, and the manifest of them.
func write(folder string) error {
	items, err := writeTracker()
	if err != nil {
		return err
	}
	items["constants.json"] = constants()
	items["packets/sealed.json"] = compact(readPacketInputs().sealed())
	files := map[string]string{}
	for name, content := range items {
		files[name] = hash(content)
	}
	items["manifest.json"] = compact(map[string]any{"files": files})
	for name, content := range items {
		if err := put(filepath.Join(folder, name), content); err != nil {
			return err
		}
	}
	return nil
}

// isWhole tells whether every file that the manifest lists is there as it was written.
func isWhole(folder string) bool {
	var manifest struct{ Files map[string]string }
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil || json.Unmarshal(text, &manifest) != nil {
		return false
	}
	for name, want := range manifest.Files {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || hash(content) != want {
			return false
		}
	}
	return len(manifest.Files) > 0
}

func tell(writer, item string, isGood bool) bool {
	fmt.Printf("exchange %s->go %s %s\n", writer, item, map[bool]string{true: "ok", false: "FAILED"}[isGood])
	return isGood
}

// read says of each item of a language whether it is what it must be; what it sealed is answered.
func read(folder string) bool {
	writer, packets := filepath.Base(folder), readPacketInputs()
	must(0, put(filepath.Join(filepath.Dir(folder), "go/packets/answers.json"), compact(packets.answers())))
	isGood := tell(writer, "manifest.json", isWhole(folder))
	isGood = tell(writer, "constants.json", isInFile(folder, "constants.json", constants())) && isGood
	isGood = tell(writer, "packets", packets.areSealed(readSides(filepath.Join(folder, "packets/sealed.json")))) && isGood
	return tell(writer, "tracker", isSameTracker(folder)) && isGood
}

// finish looks at what a language answered to this one.
func finish(folder string) bool {
	answers := readSides(filepath.Join(folder, "packets/answers.json"))
	return tell(filepath.Base(folder), "answers", readPacketInputs().areAnswers(answers))
}

// run tells whether everything went well; false, too, for what it does not know.
func run(arguments []string) (bool, error) {
	if len(arguments) == 0 {
		return false, errUsage
	}
	switch verb, rest := arguments[0], arguments[1:]; {
	case verb == "write" && len(rest) == 1:
		return true, write(filepath.Join(rest[0], "go"))
	case verb == "read" && len(rest) == 2:
		return read(filepath.Join(rest[0], rest[1])), nil
	case verb == "finish" && len(rest) == 2:
		return finish(filepath.Join(rest[0], rest[1])), nil
	case verb == "beat" && len(rest) == 1:
		return true, beat(rest[0])
	case verb == "observe" && len(rest) == 2:
		return tell(rest[1], "live", observe(rest[0])), nil
	case verb == "live" && len(rest) == 1:
		return true, live(rest[0])
	}
	return false, errUsage
}

var errUsage = errors.New("usage: exchange write DIR | read DIR FROM | finish DIR FROM | beat PATH | observe PATH FROM | " +
	"live PATH")

func main() {
	isGood, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !isGood {
		os.Exit(1)
	}
}
