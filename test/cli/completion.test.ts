// Completion as a person uses it: the script in each shell that is there, and what it asks the command line.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { states } from '../../src/model/import-state.ts'
import { main, runCli } from './run.ts'

const run = promisify(execFile)

let directory: string
let environment: Record<string, string>
/** Answers as the service does; `asked` are the paths. */
let service: { url: string; asked: string[]; close(): void }
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-completion-'))
  const bin = join(directory, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'import-tracker'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  await chmod(join(bin, 'import-tracker'), 0o755)
  service = await startService()
  environment = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: directory,
    IMPORT_TRACKER_URL: service.url,
    IMPORT_TRACKER_TOKEN: 'a-token-for-completion',
  }
})
afterAll(async () => {
  service.close()
  await rm(directory, { recursive: true })
})

test.each<[words: string[], some: string[]]>([
  [['im'], ['imports']],
  [
    ['imports', 're'],
    ['register', 'resume'],
  ],
  [
    ['webhooks', ''],
    ['listen', 'trigger', 'verify'],
  ],
  [['imports', 'list', '--st'], ['--state']],
  [['imports', 'list', '--state', ''], [...states]],
  [['imports', 'list', '--state', 'su'], ['succeeded']],
  [['imports', 'list', '--attention', 'un'], ['unmapped_status']],
  [['deliveries', 'list', '--state', 'ex'], ['exhausted']],
  [
    ['tokens', 'create', 'ci', '--scope', ''],
    ['read', 'write', 'admin'],
  ],
  [['webhooks', 'trigger', 'import.par'], ['import.partial']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [
    ['imports', 'register', '--connection', ''],
    ['cdq-prod', 'crm'],
  ],
  [['imports', 'register', '--connection', 'cd'], ['cdq-prod']],
  [
    ['connections', 'get', 'c'],
    ['cdq-prod', 'crm'],
  ],
  [['imports', 'watch', ''], ['019abc00-0000-7000-8000-000000000001']],
])('after %j come %j', async (words, some) => {
  // Asked again, because names that take the service longer than a person waits aren't offered.
  await vi.waitFor(async () => {
    const { code, stdout, stderr } = await runCli(['complete', '--', ...words], environment)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const offered = stdout.split('\n').map((line) => line.split('\t')[0])
    expect(offered.slice(0, some.length).sort()).toEqual([...some].sort())
  })
})

test.each([
  ['nobody is signed in', { IMPORT_TRACKER_URL: '', IMPORT_TRACKER_TOKEN: '' }],
  ['the service is away', { IMPORT_TRACKER_URL: 'http://127.0.0.1:9' }],
  ['the service refuses', { IMPORT_TRACKER_TOKEN: 'another-token-0123456789' }],
])('where %s there are no names, and nothing is said', async (_what, given) => {
  const complete = ['complete', '--', 'imports', 'list', '--connection', '']
  const { code, stdout, stderr } = await runCli(complete, { ...environment, ...given })
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: expect.stringMatching(/^:\d+\n$/), stderr: '' })
})

test('only names are asked for', async () => {
  service.asked.length = 0
  await runCli(['complete', '--', 'imports', 'list', '--state', ''], environment)
  expect(service.asked).toEqual([])
})

// What a person's <TAB> does, in each shell's own way.
const inShells: Record<string, { shell: string; script: (line: string, word: string) => string[] }> = {
  bash: {
    shell: '/usr/bin/bash',
    script: (line) => [
      '-c',
      `source <(import-tracker completion bash)
       COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(${line.replace(/ $/, " ''")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
       complete -p import-tracker >/dev/null || exit 1
       function=$(complete -p import-tracker | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $function
       printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
  },
  // It completes only what somebody types on a terminal, and shows no list if more is typed before it can.
  zsh: {
    shell: '/usr/bin/zsh',
    script: (line, word) => [
      '-fc',
      `zmodload zsh/zpty; zpty typed zsh -fi
       zpty -w typed "autoload -Uz compinit; compinit -uD; source <(import-tracker completion zsh); print re''ady"
       zpty -rm typed before '*ready*'
       zpty -w typed "bindkey '^I' list-choices; print bo''und"; zpty -rm typed before '*bound*'
       zpty -wn typed '${line}'$'\\t'; zpty -rm typed shown '*${word}*'; print -r -- "$shown"`,
    ],
  },
  fish: {
    shell: '/usr/bin/fish',
    script: (line) => ['-c', `import-tracker completion fish | source; complete -C '${line}'`],
  },
}

for (const [name, { shell, script }] of Object.entries(inShells))
  test.skipIf(!existsSync(shell))(`${name} completes commands, states and names`, async () => {
    const offers = async (line: string, word: string) => {
      const { stdout } = await run(shell, script(line, word), {
        env: { ...environment, TERM: 'dumb' },
        cwd: directory,
        timeout: 60_000,
      })
      expect(stdout.split('\n').map((text) => text.split(/\t| +-- /)[0]?.trim())).toContain(word)
    }
    await offers('import-tracker imports wa', 'watch')
    await offers('import-tracker imports list --state su', 'succeeded')
    await vi.waitFor(() => offers('import-tracker imports register --connection cd', 'cdq-prod'))
  })

async function startService() {
  const asked: string[] = []
  const one = { id: '019abc00-0000-7000-8000-000000000001', connection: 'crm', jobId: 'j', state: 'running' }
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const isKnown = request.headers.authorization === 'Bearer a-token-for-completion'
    const data = request.url?.startsWith('/v1/imports') ? [one] : [{ name: 'cdq-prod' }, { name: 'crm' }]
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isKnown ? { data, next: null } : { code: 'unauthenticated', detail: 'No.' }))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
