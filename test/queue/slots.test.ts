import { expect, test } from 'vitest'
import { createSlots } from '../../src/queue/slots.ts'

const soon = { keptMs: 1, maxWithout: 2 }

test('work that is done soon keeps its slot until then, and fails as the job', async () => {
  const slots = createSlots({ keptMs: 60_000, maxWithout: 2, onError: () => {} })
  await slots.hold(Promise.resolve())
  await expect(slots.hold(Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await slots.ended()
})

test('work that takes longer goes on without its slot, and is waited for at the end', async () => {
  const errors: string[] = []
  const slots = createSlots({ ...soon, onError: ({ message }) => errors.push(message) })
  const [good, bad] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await slots.hold(good.promise)
  await slots.hold(bad.promise)
  let hasEnded = false
  const ended = slots.ended().then(() => {
    hasEnded = true
  })
  good.resolve()
  await Promise.resolve()
  expect(hasEnded).toBe(false)
  bad.reject(new Error('broken'))
  await ended
  expect(errors).toEqual(['broken'])
})

test('no more go on without one than may: the next one keeps its slot', async () => {
  const slots = createSlots({ ...soon, onError: () => {} })
  const works = Array.from({ length: 3 }, () => Promise.withResolvers<void>())
  const held = works.map(({ promise }) => slots.hold(promise))
  await Promise.all(held.slice(0, 2))
  let isFree = false
  const last = held[2]?.then(() => {
    isFree = true
  })
  works[0]?.resolve()
  await works[0]?.promise
  expect(isFree).toBe(false)
  works[2]?.resolve()
  await last
  works[1]?.resolve()
  await slots.ended()
})
