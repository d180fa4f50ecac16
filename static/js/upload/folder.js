// From what the browser gives to a batch: its name, and its files with their paths below the chosen folder.

export function fromChooser(list, passedOver) {
  return asBatch(Array.from(list, (file) => ({ path: file.webkitRelativePath || file.name, file })), passedOver);
}

export async function fromDrop(transfer, passedOver) {
  const left = Array.from(transfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  while (left.length) {
    const entry = left.pop();
    if (entry.isDirectory) left.push(...(await inside(entry)));
    else files.push({ path: entry.fullPath.replace(/^\//, ''), file: await opened(entry) });
  }
  files.sort((one, other) => (one.path < other.path ? -1 : 1));
  return asBatch(files, passedOver);
}

// The chosen folder names the batch; the first folder below it is a camera.
function asBatch(files, passedOver) {
  const kept = files.filter(({ path }) => !passedOver.test(path));
  const firsts = new Set(kept.map(({ path }) => first(path)));
  const only = firsts.size === 1 ? [...firsts][0] : '';
  const below = only ? kept.map(({ path, file }) => ({ path: path.slice(only.length + 1), file })) : kept;
  return { name: only || `Photos of ${today()}`, files: below, cameras: cameras(below, only) };
}

function cameras(files, otherwise) {
  const counts = new Map();
  for (const { path } of files) {
    const camera = first(path) || otherwise;
    if (camera) counts.set(camera, (counts.get(camera) ?? 0) + 1);
  }
  return counts;
}

function first(path) {
  const slash = path.indexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

// Browsers give the entries of a folder a hundred at a time, and then none.
async function inside(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

function opened(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function today() {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' }).format(new Date());
}
