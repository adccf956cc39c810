// The thaw's table, which scripts/build/pack.ts writes. `end` is the file's last word: all ones.

enum { HOT = 96, LEAST_PAGE = 0x1000, LOOKED_AT = 16, MOST_HEADERS = 73, MOST_HEADER_WORDS = (64 + MOST_HEADERS * 56) / 8 };

struct payload {
  struct frozen *frozen;
  const word *end;
  struct range reserved; // address space into which V8's table of functions may grow
  struct range image;    // all that is mapped of the file
  struct range hot[HOT]; // what a start reads of it; of the first, so many pages are looked at
  word headers;          // how many words of headers
  word sum;              // of the headers and of the words before
};
