namespace ControlPlane.Host.Engine.Journal;

/// <summary>The bounded line before the one writer. The writer takes all that waits, up to one batch.</summary>
sealed class WriteQueue(JournalLimits limits)
{
    readonly object _gate = new();
    readonly Queue<PendingWrite> _waiting = new();
    long _bytes;
    bool _closed;

    /// <summary>Null when the write was taken; otherwise the answer to its caller.</summary>
    public JournalWriteException? TryAdd(PendingWrite write)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return new JournalUnavailableException("the journal is stopping.");
            }

            // A single write larger than the bound still fits into an empty queue: its own bound was checked before.
            var full = _waiting.Count >= limits.QueueWritesMax
                || (_waiting.Count > 0 && _bytes + write.Bytes > limits.QueueBytesMax);
            if (full)
            {
                return new JournalOverloadedException(_waiting.Count, _bytes);
            }

            _waiting.Enqueue(write);
            _bytes += write.Bytes;
            Monitor.Pulse(_gate);
            return null;
        }
    }

    /// <summary>Blocks until something waits. Null: the queue is closed and empty.</summary>
    public List<PendingWrite>? Take()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                if (_closed)
                {
                    return null;
                }

                Monitor.Wait(_gate);
            }

            var batch = new List<PendingWrite>();
            long rows = 0;
            long bytes = 0;
            while (_waiting.TryPeek(out var next)
                && (batch.Count == 0
                    || (rows + next.Rows.Length <= limits.BatchRowsMax && bytes + next.Bytes <= limits.BatchBytesMax)))
            {
                rows += next.Rows.Length;
                bytes += next.Bytes;
                batch.Add(_waiting.Dequeue());
            }

            _bytes -= bytes;
            return batch;
        }
    }

    /// <summary>Everything that waits, to be told that it will not be written.</summary>
    public List<PendingWrite> Drain()
    {
        lock (_gate)
        {
            List<PendingWrite> all = [.. _waiting];
            _waiting.Clear();
            _bytes = 0;
            return all;
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
    }
}
