/* How a list gets to a license server: intent, send, fence, read back. See README.md, which says where each step is in
 * the code, and `make model`, which checks this file exhaustively, as it is and with one thing wrong at a time.
 *
 * There is one list. Its right value is `desired`, a number that the fleet raises. Two operators of one installation
 * work on it: one leads, the other does not know yet that it does not. Both can crash. SSM delivers commands in any
 * order, late, and some of them twice.
 *
 * Scenarios:                            Wrong on purpose:
 *   (none)   as above                     STALE_FIRST  computes the list before it reads the status, and
 *   BACKUP   the status is restored       NO_WATCH     never looks whether another revision followed its own
 *            from a backup, once          NO_CAS       writes the intent whatever the status says by then
 *   OWNERS   a second installation        NO_FENCE     the server takes commands in any order
 *            claims the list, and is      NO_VERIFY    nobody reads the list back (with BACKUP)
 *            told at some time to take    NO_OWNER     the fence does not look whose a command is (OWNERS)
 *            it over
 */
#ifndef CHANGES
#define CHANGES 2
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef REPEATS
#define REPEATS 0
#endif
#define MAXREV   7                  /* no revision above: a bound of the model, not of the protocol */
#define SLOTS    6                  /* commands that are sent in all; the server's choice lists them */
#define REPAIRS  2                  /* verifications after everything has come to rest */
#define US       1
#define THEM     2
#define THEIRS   100                /* what the other installation wants on the list */

byte desired;
byte rev;                           /* LicenseServer.status.revision of our cluster */
byte list, fence, fenceOwner, fenceValue;   /* on the license server, in one file each, under one lock */

byte owner[SLOTS], number[SLOTS], value[SLOTS];
bit pending[SLOTS], stale[SLOTS];
byte sent, open;                    /* slots used, and commands under way */

byte crashes = CRASHES, repeats = REPEATS;
bit quiet, oldLeaderGone;
#ifdef OWNERS
bit takeover;                       /* "kubectl annotate seatpool.io/take-over", in the other cluster */
#else
#define takeover 0
#endif
#ifdef BACKUP
bit restored;
#define AT_PEACE (quiet && oldLeaderGone && open == 0 && restored)
#else
#define AT_PEACE (quiet && oldLeaderGone && open == 0)
#endif

/* -- what the apply script decides ------------------------------------------------------------------------------- */

#ifdef NO_OWNER
#define FOREIGN(o) (0)
#else
#define FOREIGN(o) (fenceOwner != 0 && fenceOwner != o && !(o == THEM && takeover))
#endif
#ifdef NO_FENCE
#define OLD(o, r, v) (0)
#else
#define OLD(o, r, v) (fenceOwner == o && (r < fence || (r == fence && v != fenceValue)))
#endif

inline execute(s) {
  if
  :: FOREIGN(owner[s]) || OLD(owner[s], number[s], value[s]) -> stale[s] = 1
  :: else ->
     assert(owner[s] != THEM || takeover || fenceOwner == THEM || fenceOwner == 0);
     assert(!(owner[s] == US && fenceOwner == THEM));
     fenceOwner = owner[s]; fence = number[s]; fenceValue = value[s]; list = value[s]
  fi
}

active proctype Server() {
  byte s;
end:
  do
  :: atomic {
       if                           /* any command under way, not the oldest */
       :: pending[0] -> s = 0
       :: pending[1] -> s = 1
       :: pending[2] -> s = 2
       :: pending[3] -> s = 3
       :: pending[4] -> s = 4
       :: pending[5] -> s = 5
       fi;
       execute(s);
       if
       :: pending[s] = 0; open--
       :: repeats > 0 -> repeats--  /* it stays under way, and runs again later */
       fi;
       s = 0
     }
  od
}

active proctype Fleet() {
  byte n;
  do
  :: n < CHANGES -> atomic { desired++; n++ }
  :: n == CHANGES -> break
  od;
  quiet = 1
}

/* -- what an operator does ---------------------------------------------------------------------------------------- */

#define HIGHER(a, b) (a > b -> a : b)
#define NEXT (HIGHER(rev, floor) + 1)
#ifdef NO_CAS
#define UNCHANGED 1
#else
#define UNCHANGED (rev == seen)
#endif
#ifdef NO_VERIFY
#define VERIFIED 1
#else
#define VERIFIED (list == want || repairs == REPAIRS)
#endif
#ifdef NO_WATCH
#define MINE_IS_LAST 1
#else
#define MINE_IS_LAST (rev == mine)
#endif

inline send(o, r, v) {
  owner[sent] = o; number[sent] = r; value[sent] = v; pending[sent] = 1; stale[sent] = 0;
  slot = sent; sent++; open++
}

proctype Operator(bit old) {
  byte seen, want, mine, floor, slot, repairs;
started:                            /* a process that knows nothing reads the list, and with it the fence */
  atomic { floor = 0; mine = 0; floor = (fenceOwner == US -> fence : 0) };
again:
  if :: fenceOwner == THEM -> goto done :: else fi;
#ifdef STALE_FIRST
  want = desired; seen = rev;
#else
  seen = rev; want = desired;
#endif
  atomic {                          /* the intent: compare and swap */
    if
    :: NEXT > MAXREV || sent == SLOTS -> goto bound
    :: else
    fi;
    if
    :: UNCHANGED -> mine = NEXT; rev = mine
    :: else -> goto again
    fi
  };
  if
  :: atomic { crashes > 0 -> crashes-- }; goto started      /* after the intent, before the send */
  :: atomic { sent < SLOTS -> send(US, mine, want) }
  :: sent == SLOTS -> goto bound
  fi;
  if
  :: atomic { crashes > 0 -> crashes-- }; goto started      /* after the send, the command's id unknown */
  :: atomic { !pending[slot] -> floor = HIGHER(floor, (fenceOwner == US -> fence : 0)) }   /* the result */
  fi;
  if
  :: old -> goto done               /* learns at last that it does not lead */
  :: !old && stale[slot] -> goto again
  :: else
  fi;
watch:
  if
  :: desired != want -> goto again
  :: !MINE_IS_LAST -> goto again
#ifndef NO_VERIFY
  :: atomic { AT_PEACE && repairs < REPAIRS && fenceOwner != THEM && list != want -> repairs++; floor = HIGHER(floor, fence) };
     goto again
#endif
  :: fenceOwner == THEM -> goto done
  :: atomic {
       AT_PEACE && desired == want && MINE_IS_LAST && fenceOwner != THEM && VERIFIED -> assert(list == desired)
     }
  fi;
done:
bound:
  if :: old -> oldLeaderGone = 1 :: else fi
}

#ifdef BACKUP
active proctype Backup() {
  byte before;
  atomic { before = rev; do :: before > 0 -> before-- :: break od; rev = before; before = 0; restored = 1 }
}
#endif

#ifdef OWNERS
active proctype OtherInstallation() {
  byte slot;
  if                                /* it claims the list without being told to */
  :: atomic { sent < SLOTS -> send(THEM, 1, THEIRS) }
  :: skip
  fi;
  takeover = 1;
  if
  :: atomic { sent < SLOTS -> send(THEM, 2, THEIRS) };
     !pending[slot];
     assert(fenceOwner == THEM && list == THEIRS)
  :: sent == SLOTS
  fi
}
#endif

init { atomic { run Operator(0); run Operator(1) } }
