// Owns loading what a command needs that runs until it is stopped.

export async function loadRunning() {
  const [{ untilStopped }, { createLog }, { systemClock }] = await Promise.all([
    import('../app/until-stopped.ts'),
    import('../base/log.ts'),
    import('../base/clock.ts'),
  ])
  return { untilStopped, createLog, systemClock }
}
