// What a consumer does with the client, in any runtime: registers, waits, lists, follows, and is told to stop. Loaded by
// the test of runtimes, which gives it the package.

/** Returns what came of it, for the test to judge. */
export async function consume({ createClient, ProblemError }, { url, token, jobIds, live }) {
  const tracker = createClient({ url, token })
  const one = await tracker.imports.register({ connection: 'crm', jobId: jobIds[0], metadata: { by: live } })
  const changes = []
  const done = await tracker.imports.wait(one.id, { onChange: ({ state }) => changes.push(state) })
  const listed = []
  for await (const { id } of tracker.imports.list({ state: [done.state], metadata: { by: live } })) listed.push(id)

  const followed = []
  for await (const event of tracker.events.follow()) {
    if (event.importId === one.id) followed.push(event.type)
    if (event.importId === one.id && event.type === `import.${done.state}`) break
  }

  const problem = await tracker.imports.get('nothing').catch((error) => error)
  const endless = await tracker.imports.register({ connection: 'crm', jobId: jobIds[1] })
  const ended = {}
  for (const [name, begin] of Object.entries({
    wait: (signal) => tracker.imports.wait(endless.id, { signal }),
    watch: (signal) => tracker.imports.wait(endless.id, { signal, onChange() {} }),
    follow: async (signal) => {
      for await (const _ of tracker.events.follow({ signal, after: new Date(Date.now() + 60_000) }));
    },
  }))
    ended[name] = await untilAborted(begin)
  return {
    changes,
    state: done.state,
    isListed: listed.length === 1 && listed[0] === one.id,
    followed,
    problem: {
      isOne: problem instanceof ProblemError,
      code: problem.code,
      hasId: typeof problem.requestId === 'string',
    },
    ended,
  }
}

/** Returns the reason, and how long after the abort it ended. */
async function untilAborted(begin) {
  const stop = new AbortController()
  const running = begin(stop.signal).then(
    () => 'it ended by itself',
    (error) => error.message,
  )
  await new Promise((resolve) => setTimeout(resolve, 300)) // the request is on its way, and held
  const beganAt = performance.now()
  stop.abort(new Error('enough'))
  const reason = await running
  return { reason, ms: Math.round(performance.now() - beganAt) }
}
