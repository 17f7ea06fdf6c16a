/**
 * A project for being killed in. Its actions leave lines in a log outside the workspace through the program `note`:
 * `begin <place>` and `end <place>`, where the place is that of the journal (`fix[2]#1@3`).
 */

/** Everything that a formula can say. Whatever it puts out is the same each time. */
const everything = `
formula: everything
description: Uses all of the language, and ends the same whatever happens on the way.
inputs:
  names: {type: array, items: {type: string}, default: [ann, bob, cid]}
workspace:
  from: clone
  prepare: {run: 'mkdir deps && echo made > deps/made', files: [seed.txt]}
  services:
    - {id: beacon, run: 'echo "I am ready"; exec sleep 300', ready: {log: ready}}
concurrency: {group: 'everything-{{size inputs.names}}'}
budget: {minutes: 20}
steps:
  - id: list
    run: |
      note begin
      echo '{"names": ["ann", "bob", "cid"]}' > "$WF_OUTPUT"
      note end
    outputs: {names: {type: array, items: {type: string}}}
  - id: left
    needs: [list]
    concurrency: {group: side}
    run: note begin; cat deps/made > left.txt; note end
  - id: right
    needs: [list]
    concurrency: {group: side}
    run: |
      note begin
      echo right > right.txt
      git add right.txt && git -c user.name=a -c user.email=a@b commit -qm right --date=2026-01-01T00:00:00Z
      note end
  - id: flaky
    needs: [list]
    run: |
      note begin
      mkdir "$NOTES/flaky" 2> /dev/null && exit 75
      echo flaky > flaky.txt
      note end
  - id: each
    needs: [left, right, flaky]
    for_each: steps.list.outputs.names
    parallel: 2
    uses: greet
    with: {name: '{{item}}'}
  - id: first
    for_each: [slow, quick]
    parallel: 2
    join: any
    env: {WHICH: '{{item}}'}
    run: '[ "$WHICH" = quick ] || sleep 60; note begin; note end'
  - id: sum
    for_each: [1, 2, 3]
    join: {quorum: 2}
    env: {NUMBER: '{{item}}'}
    run: 'note begin; [ "$NUMBER" != 2 ]; echo "$NUMBER" >> sum.txt; note end'
  - id: count
    repeat: {until: outputs.size >= 3, max: 5}
    parse: json
    run: |
      note begin >&2
      echo x >> count.txt
      echo "{\\"size\\": $(wc -l < count.txt)}"
      note end >&2
    outputs: {size: {type: integer}}
  - id: stubborn
    retry: {attempts: 3, on: [verify], backoff: 20ms, feedback: true}
    run: 'note begin; echo "\${WF_FEEDBACK:+told}" >> tries.txt; echo "{\\"attempt\\": $WF_ATTEMPT}" > "$WF_OUTPUT"; note end'
    outputs: {attempt: {type: integer}}
    verify:
      - {run: 'note check; [ "$(wc -l < tries.txt)" -ge 2 ]'}
      - {check: outputs.attempt > 1}
      - {changes: {only: [tries.txt], max_lines: 5}}
      - {run: '[ ! -e tries.txt ]', from: base, files: [tries.txt]}
      - {wait: {event: go, match: event.to == 'everything', pass: event.ok}}
  - id: broken
    on_failure: continue
    timeout: 20s
    run: 'note begin; note end; exit 3'
  - id: told
    run: [note, "said: {{default steps.broken.error.kind 'nothing'}}"]
  - id: other
    run: {program: node, script: 'require("fs").writeFileSync("other.txt", process.env.WF_STEP)'}
  - id: never
    when: size(inputs.names) > 100
    run: note begin
  - id: inner
    uses: formula/inner
    with: {word: '{{steps.list.outputs.names.[0]}}'}
    timeout: 5m
  - id: apart
    needs: [list]
    uses: formula/inner
    with: {word: apart}
    workspace: clone
  - id: alone
    workspace: empty
    run: 'note begin; [ -z "$(ls)" ]; touch lost.txt; note end'
  - id: early
    approve: {ask: 'Early?', by: [maintainers]}
  - id: late
    needs: [alone]
    approve: {ask: 'Late?', show: [run.changed_files], by: [maintainers]}
    timeout: 1h
  - id: heard
    needs: [alone]
    wait: {event: go, match: event.to == 'everything', pass: event.ok}
  - id: nap
    needs: [alone]
    wait: {for: 200ms}
  - id: deploy
    needs: [early, late, heard, nap]
    once: true
    run: note begin; sleep 0.02; note end
  - id: last
    run: 'note begin; echo "{{steps.count.outputs.size}} {{size run.changed_files}}" > last.txt; note end'
finally:
  - {id: report, run: 'note begin; echo "{{run.status}}"; note end'}
outputs:
  greetings: 'steps.each.outputs.map(o, o.greeting)'
  size: steps.count.outputs.size
  attempts: steps.stubborn.attempts
  word: steps.inner.outputs.word
  by: steps.early.outputs.by
  event: steps.heard.outputs.event
  winner: 'steps.first.items.filter(i, i.status == "succeeded").map(i, i.item)'
  sums: size(steps.sum.outputs)
  apart: steps.apart.outputs.word
  changed: size(run.changed_files)
`;

const inner = `
formula: inner
description: What is used as one step.
inputs: {word: {type: string}}
steps:
  - {id: one, run: 'note begin; echo "{{inputs.word}}" > one.txt; note end'}
  - {id: two, needs: [], run: 'note begin; echo 2 > two.txt; note end'}
  - id: both
    parse: json
    run: 'note begin >&2; printf "{\\"word\\": \\"%s\\"}" "$(cat one.txt)$(cat two.txt)"; note end >&2'
    outputs: {word: {type: string}}
finally:
  - {id: close, run: 'note begin; note end'}
outputs:
  word: steps.both.outputs.word
`;

const greet = `
molecule: greet
description: Writes a greeting.
inputs: {name: {type: string}}
run: |
  note begin
  mkdir -p greetings
  echo "hello {{inputs.name}}" > greetings/{{inputs.name}}.txt
  printf '{"greeting": "%s"}' "$(cat greetings/{{inputs.name}}.txt)" > "$WF_OUTPUT"
  note end
outputs: {greeting: {type: string}}
verify:
  - {run: 'note check; test -s greetings/{{inputs.name}}.txt'}
retry: {attempts: 2}
`;

/** Small, and ends badly: with `finally` and a bundle for people. */
const unlucky = `
formula: unlucky
description: Fails in the middle, and hands over.
workspace: clone
steps:
  - {id: a, run: 'note begin; echo a > a.txt; note end'}
  - {id: b, needs: [a], run: 'note begin; echo b > b.txt; note end'}
  - {id: c, needs: [a], run: 'note begin; echo c > c.txt; note end'}
  - id: fails
    retry: {attempts: 2, backoff: 10ms}
    on_failure: handoff
    run: 'note begin; echo d > d.txt; note end; echo no luck >&2; exit 9'
  - {id: after, run: note begin}
finally:
  - {id: report, run: 'note begin; echo "{{run.status}}" > end.txt; note end'}
`;

/** A step that must never run twice, and stays long enough to be killed in. */
const careful = `
formula: careful
description: Has a step that must never run twice.
workspace: empty
steps:
  - {id: deploy, once: true, run: 'note begin; while [ -e "$NOTES/hold" ]; do sleep 0.01; done; note end'}
  - {id: after, run: note begin; note end}
`;

/** Works as long as it is held. */
const held = `
formula: held
description: Works until it is let go.
workspace: empty
steps:
  - {id: work, run: 'note begin; while [ -e "$NOTES/hold" ]; do sleep 0.01; done; note end'}
  - {id: after, run: note begin; note end}
finally:
  - {id: report, run: 'note begin; note end'}
`;

/** Children that do not want to end. */
const stubborn = `
formula: stubborn
description: Starts what does not want to end.
workspace:
  from: empty
  services:
    - {id: deaf, run: 'trap "" TERM; echo ready; while :; do sleep 0.1; done', ready: {log: ready}}
steps:
  - id: deaf
    run: |
      trap '' TERM
      setsid sleep 300 &
      (trap '' TERM; while :; do sleep 0.1; done) &
      note begin
      while :; do sleep 0.1; done
`;

/** Waits for an event between two steps. */
const patient = `
formula: patient
description: Waits to be told to go on.
workspace: clone
steps:
  - {id: before, run: 'note begin; echo before > file.txt; note end'}
  - {id: go, wait: {event: go}}
  - {id: after, run: 'note begin; echo after >> file.txt; note end'}
finally:
  - {id: report, run: 'note begin; note end'}
outputs:
  event: steps.go.outputs.event
`;

export const files: Readonly<Record<string, string>> = {
  'wf.yaml': `env: [NOTES]\npeople: {maintainers: [ann@example.com]}\n`,
  'formulas/everything.yaml': everything,
  'formulas/inner.yaml': inner,
  'formulas/unlucky.yaml': unlucky,
  'formulas/careful.yaml': careful,
  'formulas/held.yaml': held,
  'formulas/stubborn.yaml': stubborn,
  'formulas/patient.yaml': patient,
  'molecules/greet.yaml': greet,
  'seed.txt': 'seed\n',
  '.gitignore': '.wf/\ndeps/\n',
};

/** One write for each line, so that those of several processes do not mix. */
export const note = `#!/bin/sh
printf '%s %s@%s\\n' "$*" "\${WF_KEY#*/}" "$WF_ATTEMPT" >> "$NOTES/log"
`;
