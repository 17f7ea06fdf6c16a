/** A service that runs what a repository asks for when something is pushed. */
export type CiService = 'github' | 'gitlab';

/** How a project comes by `wf` in CI. */
export interface CiContext {
  /** The version to install where no lockfile says one. */
  readonly version: string;
  /** The project installs its tools from a lockfile of npm. */
  readonly hasLockfile: boolean;
  /** The branch that others are merged into. */
  readonly branch: string;
}

/** A file for CI: where it goes, and what it says. */
export function ciTemplate(
  service: CiService,
  context: CiContext,
): { readonly path: string; readonly text: string } {
  const install = context.hasLockfile ? 'npm ci' : `npm install --no-save formulary@${context.version}`;
  switch (service) {
    case 'github':
      return { path: '.github/workflows/formulas.yml', text: github(install, context.branch) };
    case 'gitlab':
      return { path: '.gitlab-ci.yml', text: gitlab(install) };
  }
}

function github(install: string, branch: string): string {
  return `# Checks, tests and dry-runs every formula, and says on a pull request what it changes for behaviour.
name: formulas
on:
  pull_request:
  push:
    branches: [${JSON.stringify(branch)}]
permissions: {}
concurrency:
  group: formulas-\${{ github.ref }}
  cancel-in-progress: true
jobs:
  formulas:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    # Runs what the pull request says, so it may read and nothing else.
    permissions:
      contents: read
    outputs:
      told: \${{ steps.told.outcome == 'success' }}
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0
        with:
          node-version: 24
      - run: ${install}
      - run: npx wf lock --check
      - run: npx wf check --format github
      - run: npx wf fmt --check
      - run: npx wf test --coverage
      - run: npx wf run --dry-run --all
      - name: What it changes for behaviour
        if: \${{ !cancelled() && github.event_name == 'pull_request' }}
        env:
          BASE: \${{ github.event.pull_request.base.sha }}
        run: |
          npx wf lock --at "$BASE" || true
          npx wf plan --diff "$BASE" --format markdown > behaviour.md || [ -s behaviour.md ] ||
            printf '<!-- wf plan --diff -->\\n\\nWhat this changes for behaviour could not be told; the log of the job says why.\\n' > behaviour.md
          # A comment holds 65,536 characters.
          if [ "$(wc -c < behaviour.md)" -gt 60000 ]; then
            head -c 60000 behaviour.md > cut.md
            printf '\\n\\n… cut here: the summary of the job has all of it.\\n' >> cut.md
          else
            cp behaviour.md cut.md
          fi
          cat behaviour.md >> "$GITHUB_STEP_SUMMARY"
      - id: told
        if: \${{ !cancelled() && github.event_name == 'pull_request' }}
        uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        with:
          name: behaviour
          path: cut.md
          if-no-files-found: error
  comment:
    # May write, so it runs nothing of the pull request; one from a fork has the summary of the other job instead.
    needs: formulas
    if: \${{ !cancelled() && needs.formulas.outputs.told == 'true' && github.event.pull_request.head.repo.full_name == github.repository }}
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      pull-requests: write
    steps:
      - uses: actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0
        with:
          name: behaviour
      - name: Keep one comment current
        env:
          GH_TOKEN: \${{ github.token }}
          NUMBER: \${{ github.event.pull_request.number }}
        run: |
          comment="$(gh api "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --paginate \\
            --jq '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("<!-- wf plan --diff -->"))) | .id' | head -n 1)"
          if [ -n "$comment" ]; then
            gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$comment" -F body=@cut.md > /dev/null
          else
            gh pr comment "$NUMBER" --repo "$GITHUB_REPOSITORY" --body-file cut.md
          fi
`;
}

function gitlab(install: string): string {
  return `# Checks, tests and dry-runs every formula, and says on a merge request what it changes for behaviour. The note needs
# a variable WF_GITLAB_TOKEN with an access token that may write notes (scope api); without one it is in the job's log.
formulas:
  image: node:24
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  variables:
    GIT_DEPTH: 0
  script:
    - ${install}
    - npx wf lock --check
    - npx wf check
    - npx wf fmt --check
    - npx wf test --coverage
    - npx wf test --format junit > formulas.xml
    - npx wf run --dry-run --all
  after_script:
    - |
      [ -n "$CI_MERGE_REQUEST_DIFF_BASE_SHA" ] || exit 0
      npx wf lock --at "$CI_MERGE_REQUEST_DIFF_BASE_SHA" || true
      npx wf plan --diff "$CI_MERGE_REQUEST_DIFF_BASE_SHA" --format markdown > behaviour.md || true
      cat behaviour.md
      [ -s behaviour.md ] || exit 0
      [ -n "$WF_GITLAB_TOKEN" ] || exit 0
      notes="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
      note="$(curl --fail --silent --show-error --header "PRIVATE-TOKEN: $WF_GITLAB_TOKEN" "$notes?per_page=100&order_by=created_at&sort=asc" |
        node -e 'const notes = JSON.parse(require("fs").readFileSync(0, "utf8"));
          console.log(notes.find(({ body }) => body.startsWith("<!-- wf plan --diff -->"))?.id ?? "")')"
      curl --fail --silent --show-error --output /dev/null --header "PRIVATE-TOKEN: $WF_GITLAB_TOKEN" \\
        --request "$([ -n "$note" ] && echo PUT || echo POST)" --data-urlencode body@behaviour.md \\
        "$notes\${note:+/$note}"
  artifacts:
    when: always
    reports:
      junit: formulas.xml
`;
}
