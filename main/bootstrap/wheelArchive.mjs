/**
 * Takes chosen members out of a wheel (a zip archive: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16), streaming,
 * so that an 800 MB library needs no memory and the other thousands of files no disk.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

/**
 * @typedef {{ name: string, method: number, packedBytes: number, sizeBytes: number, headerOffset: number, executable: boolean }} Member
 * @typedef {{ path: string, sizeBytes: number, sha256: string }} ExtractedFile
 */

/**
 * @param {string} archive
 * @param {string} folder
 * @param {(name: string) => string | null} placeOf path below `folder` for a member, null to leave it out
 * @param {(doneBytes: number, totalBytes: number) => void} onProgress in unpacked bytes
 * @returns {Promise<ExtractedFile[]>}
 */
export async function extractMembers(archive, folder, placeOf, onProgress) {
  const file = await open(archive, 'r');
  try {
    const wanted = (await readDirectory(file)).flatMap((member) => {
      const place = member.name.endsWith('/') ? null : placeOf(member.name);
      return place === null ? [] : [{ member, place }];
    });
    const totalBytes = wanted.reduce((sum, { member }) => sum + member.sizeBytes, 0);
    let doneBytes = 0;
    const extracted = [];
    for (const { member, place } of wanted) {
      if (place.split(/[\\/]/).includes('..')) throw new Error(`The archive member ${member.name} leaves its folder.`);
      const target = join(folder, place);
      await mkdir(dirname(target), { recursive: true });
      const sha256 = await inflate(archive, file, member, target, (bytes) =>
        onProgress((doneBytes += bytes), totalBytes),
      );
      if (member.executable) await chmod(target, 0o755);
      extracted.push({ path: place, sizeBytes: member.sizeBytes, sha256 });
    }
    return extracted;
  } finally {
    await file.close();
  }
}

/**
 * @param {import('node:fs/promises').FileHandle} file
 * @returns {Promise<Member[]>}
 */
async function readDirectory(file) {
  const { size } = await file.stat();
  const tailBytes = Math.min(size, 65_557); // the end record and the longest comment
  const tail = await read(file, size - tailBytes, tailBytes);
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0) throw new Error('Not a zip archive: the end record is missing.');
  const count = tail.readUInt16LE(end + 10);
  const offset = tail.readUInt32LE(end + 16);
  if (count === 0xffff || offset === 0xffffffff) throw new Error('Zip64 archives are not read.');
  const directory = await read(file, offset, tail.readUInt32LE(end + 12));
  const members = [];
  for (let at = 0; members.length < count;) {
    const nameBytes = directory.readUInt16LE(at + 28);
    const unixMode = directory.readUInt32LE(at + 38) >>> 16;
    members.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      sizeBytes: directory.readUInt32LE(at + 24),
      headerOffset: directory.readUInt32LE(at + 42),
      executable: (unixMode & 0o111) !== 0,
    });
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return members;
}

/**
 * @param {string} archive
 * @param {import('node:fs/promises').FileHandle} file
 * @param {Member} member
 * @param {string} target
 * @param {(bytes: number) => void} onBytes
 * @returns {Promise<string>} SHA-256 of the unpacked bytes
 */
async function inflate(archive, file, member, target, onBytes) {
  const header = await read(file, member.headerOffset, 30);
  const start = member.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const hash = createHash('sha256');
  if (member.packedBytes === 0) {
    await writeFile(target, '');
    return hash.digest('hex');
  }
  let sizeBytes = 0;
  const counter = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  const packed = createReadStream(archive, { start, end: start + member.packedBytes - 1, highWaterMark: 1 << 20 });
  const output = createWriteStream(target, { highWaterMark: 1 << 20 });
  if (member.method === 8) {
    await pipeline(packed, createInflateRaw({ chunkSize: 1 << 18 }), counter, output);
  } else if (member.method === 0) {
    await pipeline(packed, counter, output);
  } else {
    throw new Error(`${member.name} is packed with method ${member.method}, which is not read.`);
  }
  if (sizeBytes !== member.sizeBytes) {
    throw new Error(`${member.name}: expected ${member.sizeBytes} bytes, unpacked ${sizeBytes}.`);
  }
  return hash.digest('hex');
}

/**
 * @param {import('node:fs/promises').FileHandle} file
 * @param {number} position
 * @param {number} bytes
 */
async function read(file, position, bytes) {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, position);
  if (bytesRead < bytes) throw new Error('The archive is cut off.');
  return buffer;
}
