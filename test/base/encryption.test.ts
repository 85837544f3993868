import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEncryption, DecryptionError } from '../../src/base/encryption.ts'

const [oldKey, newKey, otherKey] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]

test('what is encrypted comes back, whatever it is', () => {
  const encryption = createEncryption([newKey])
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
      expect(encryption.decrypt(encryption.encrypt(text, context), context)).toBe(text)
    }),
  )
})

test('the same text never looks the same', () => {
  const encryption = createEncryption([newKey])
  expect(encryption.encrypt('secret', 'c')).not.toBe(encryption.encrypt('secret', 'c'))
})

test('older keys read, the first one writes', () => {
  const written = createEncryption([oldKey]).encrypt('secret', 'c')
  const both = createEncryption([newKey, oldKey])
  expect(both.decrypt(written, 'c')).toBe('secret')
  expect(both.isStale(written)).toBe(true)
  expect(both.isStale(both.encrypt('secret', 'c'))).toBe(false)
  expect(createEncryption([newKey]).decrypt(both.encrypt('secret', 'c'), 'c')).toBe('secret')
})

test('another key, another place or a changed bit is an error that says nothing of the secret', () => {
  const encryption = createEncryption([newKey])
  const value = encryption.encrypt('hunter2', 'connection:1')
  expect(() => createEncryption([otherKey]).decrypt(value, 'connection:1')).toThrow(DecryptionError)
  expect(() => encryption.decrypt(value, 'connection:2')).toThrow(DecryptionError)
  fc.assert(
    fc.property(fc.integer({ min: 9, max: value.length - 2 }), (index) => {
      const flipped = value[index] === 'A' ? 'B' : 'A'
      const changed = value.slice(0, index) + flipped + value.slice(index + 1)
      expect(() => encryption.decrypt(changed, 'connection:1')).toThrow(DecryptionError)
    }),
  )
  expect(() => encryption.decrypt('', 'c')).toThrow(DecryptionError)
  expect(() => encryption.decrypt(`${value.split('.')[0]}.AAAA`, 'c')).toThrow(DecryptionError)
})

test('a key is known by the values that it made', () => {
  const value = createEncryption([oldKey]).encrypt('secret', 'c')
  expect(createEncryption([newKey, oldKey]).knows(value)).toBe(true)
  expect(createEncryption([newKey]).knows(value)).toBe(false)
})
