using System.Runtime.CompilerServices;
using ControlPlane.DriverAbi;
using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>The frames of one stream epoch, counted from 1, the newest of them kept for readers that come back.</summary>
sealed class FrameRing(string bootId, long epoch, int framesMax, TimeProvider time)
{
    readonly Lock _sync = new();
    readonly Queue<DriverFrame> _frames = new();
    readonly List<TaskCompletionSource> _waiting = [];
    long _last;
    bool _ended;

    public string BootId => bootId;

    public long Epoch => epoch;

    public long Last
    {
        get
        {
            lock (_sync)
            {
                return _last;
            }
        }
    }

    public void Add(FrameKind kind, DeviceState device)
    {
        lock (_sync)
        {
            _frames.Enqueue(new DriverFrame(bootId, epoch, ++_last, time.GetUtcNow(), kind, device));
            if (_frames.Count > framesMax)
            {
                _frames.Dequeue();
            }
            Signal();
        }
    }

    /// <summary>The host started anew: this stream is over, and its readers are told so.</summary>
    public void End()
    {
        lock (_sync)
        {
            _ended = true;
            Signal();
        }
    }

    public async IAsyncEnumerable<DriverFrame> After(long after, [EnumeratorCancellation] CancellationToken stop)
    {
        while (true)
        {
            var (batch, more) = Take(after);
            foreach (var frame in batch)
            {
                yield return frame;
                after = frame.Seq;
            }
            if (more is not null)
            {
                await using var stopped = stop.Register(() => GiveUp(more, stop));
                await more.Task;
            }
        }
    }

    void GiveUp(TaskCompletionSource reader, CancellationToken stop)
    {
        lock (_sync)
        {
            _waiting.Remove(reader);
        }
        reader.TrySetCanceled(stop);
    }

    void Signal()
    {
        _waiting.ForEach(reader => reader.TrySetResult());
        _waiting.Clear();
    }

    /// <summary>What there is, or when there is nothing, the signal that there is more.</summary>
    (DriverFrame[] Batch, TaskCompletionSource? More) Take(long after)
    {
        lock (_sync)
        {
            var first = _last - _frames.Count + 1;
            if (_ended || after < first - 1 || after > _last)
            {
                throw new FramesLostException(_ended
                    ? $"Stream epoch {epoch} is over."
                    : $"Frames {first} to {_last} of stream epoch {epoch} are kept; {after} is not a place among them.");
            }
            if (after < _last)
            {
                return ([.. _frames.Skip((int)(after - first + 1))], null);
            }
            var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add(more);
            return ([], more);
        }
    }
}
