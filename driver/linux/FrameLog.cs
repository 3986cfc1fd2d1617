using System.Runtime.CompilerServices;
using ControlPlane.DriverAbi;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The frames of one stream epoch, counted from 1, the newest of them kept. They live as long as the process: the next
/// start has a new epoch, and its reader begins with a snapshot.
/// </summary>
sealed class FrameLog(string bootId, long epoch, int framesMax, TimeProvider time)
{
    readonly Lock _sync = new();
    readonly Queue<DriverFrame> _frames = new();
    TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long _last;

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
            _last++;
            _frames.Enqueue(new DriverFrame(bootId, epoch, _last, time.GetUtcNow(), kind, device));
            if (_frames.Count > framesMax)
            {
                _frames.Dequeue();
            }

            _more.SetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
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

    (DriverFrame[] Batch, Task More) Take(long after)
    {
        lock (_sync)
        {
            var first = _last - _frames.Count + 1;
            if (after < first - 1 || after > _last)
            {
                throw new FramesLostException(
                    $"Frames {first} to {_last} of stream epoch {epoch} are kept; {after} is no place among them: "
                    + "take a snapshot.");
            }

            return ([.. _frames.Skip((int)(after - first + 1))], _more.Task);
        }
    }
}
