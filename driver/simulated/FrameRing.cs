using System.Runtime.CompilerServices;
using ControlPlane.DriverAbi;
using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>The frames of one stream epoch, counted from 1, the newest of them kept for readers that come back.</summary>
sealed class FrameRing(string bootId, long epoch, int framesMax, TimeProvider time)
{
    readonly Lock _sync = new();
    readonly Queue<DriverFrame> _frames = new();
    TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
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
            if (batch.Length == 0)
            {
                await more.WaitAsync(stop);
            }
        }
    }

    void Signal()
    {
        _more.SetResult();
        _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    (DriverFrame[] Batch, Task More) Take(long after)
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
            return ([.. _frames.Skip((int)(after - first + 1))], _more.Task);
        }
    }
}
