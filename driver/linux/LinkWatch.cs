using System.Buffers.Binary;
using System.Net.Sockets;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// Turns the kernel's link events into frames. An event only says where to look: the device is read anew and compared
/// with what was last told of it, so an echo of our own command finds nothing to tell, several events of one change make
/// one frame, and the bridge's own events (family 7, where "deleted" means "off the bridge") need no reading.
/// While a command has a device open, its events wait: the command's read-back is the new truth.
/// A slow sweep compares everything: the kernel sends no link event when the alias of a device that is down changes, or
/// when its policy does.
/// </summary>
sealed class LinkWatch : IAsyncDisposable
{
    static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(100);

    readonly Socket _events;
    readonly Links _links;
    readonly DeviceReader _reader;
    readonly FrameLog _frames;
    readonly TimeProvider _time;
    readonly CancellationTokenSource _stop = new();
    readonly Lock _sync = new();
    readonly Dictionary<string, Sighting> _told = [];
    readonly Dictionary<int, string> _names = [];
    readonly HashSet<string> _open = [];
    readonly Task _listening;
    readonly Task _sweeping;

    /// <summary>What is there at the start is taken as told: the reader's snapshot has it.</summary>
    public LinkWatch(
        string networkNamespace, DeviceRecords records, PortPolicies policies, FrameLog frames, TimeSpan sweepEvery,
        TimeProvider time)
    {
        _frames = frames;
        _time = time;
        _events = NetlinkSocket.OpenEvents(networkNamespace);
        _links = Links.Open(networkNamespace);
        _reader = new DeviceReader(_links, records, policies);
        foreach (var sighting in _reader.ReadAll().Devices)
        {
            Remember(sighting);
        }

        _listening = Task.Run(Listen);
        _sweeping = Task.Run(() => Sweep(sweepEvery));
    }

    /// <summary>A command begins to change the device.</summary>
    public void Begin(string device)
    {
        lock (_sync)
        {
            _open.Add(device);
        }
    }

    /// <summary>The command is done: its read-back, which is told by the completion and by no frame.</summary>
    public Sighting? End(string device)
    {
        lock (_sync)
        {
            _open.Remove(device);
            Forget(device);
            var now = _reader.Read(device);
            if (now is { } sighting)
            {
                Remember(sighting);
            }

            return now;
        }
    }

    /// <summary>
    /// Everything that is there, and the seq up to which the frames have told it. Call with no command open.
    /// </summary>
    public (List<string> Switches, List<DeviceState> Devices, long LastSeq) Snapshot()
    {
        lock (_sync)
        {
            var (switches, devices) = CompareAll();
            return (switches, [.. devices.Select(device => device.State)], _frames.Last);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_listening, _sweeping);
        _events.Dispose();
        _links.Dispose();
        _stop.Dispose();
    }

    async Task Listen()
    {
        var buffer = new byte[65536];
        var compareAll = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (compareAll)
                {
                    NetlinkSocket.Drain(_events);
                    lock (_sync)
                    {
                        CompareAll();
                    }

                    compareAll = false;
                }

                var length = await _events.ReceiveAsync(buffer, SocketFlags.None, _stop.Token);
                Look(buffer.AsSpan(0, length));
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
            {
                // The kernel dropped events because we were too slow.
                compareAll = true;
            }
            catch (KernelException)
            {
                // A reading failed; what it would have told is found by comparing everything.
                compareAll = true;
                await Task.Delay(PauseAfterError, _time, CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    async Task Sweep(TimeSpan every)
    {
        using var timer = new PeriodicTimer(every, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    lock (_sync)
                    {
                        CompareAll();
                    }
                }
                catch (KernelException)
                {
                    // The next tick tries again.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The watch ends.
        }
    }

    void Look(ReadOnlySpan<byte> messages)
    {
        const int headerBytes = 16;
        var touched = new HashSet<string>();
        lock (_sync)
        {
            while (messages.Length >= headerBytes)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(messages);
                var type = BinaryPrimitives.ReadUInt16LittleEndian(messages[4..]);
                if (type is LinkMessages.NewLink or LinkMessages.DeleteLink)
                {
                    var link = LinkMessages.Read(messages[..length]);
                    touched.Add(link.Name);
                    if (_names.TryGetValue(link.Index, out var earlier))
                    {
                        // Another name than before: the device was renamed.
                        touched.Add(earlier);
                    }
                }

                messages = messages[Math.Min(messages.Length, (length + 3) & ~3)..];
            }

            foreach (var device in touched.Where(device => !_open.Contains(device)))
            {
                Tell(device, _reader.Read(device));
            }
        }
    }

    (List<string> Switches, List<Sighting> Devices) CompareAll()
    {
        var all = _reader.ReadAll();
        var now = all.Devices.ToDictionary(sighting => sighting.State.Device);
        foreach (var device in now.Keys.Union(_told.Keys).Except(_open).ToList())
        {
            Tell(device, now.TryGetValue(device, out var sighting) ? sighting : null);
        }

        return all;
    }

    void Tell(string device, Sighting? now)
    {
        Sighting? before = _told.TryGetValue(device, out var told) ? told : null;
        switch (before?.State, now?.State)
        {
            case (null, { } state):
                _frames.Add(FrameKind.Appeared, state);
                break;
            case ({ } state, null) when _reader.Exists(device):
                // A stranger that left our bridge: told once more, then it is none of our business.
                _frames.Add(FrameKind.Changed, state with { Enslaved = false });
                break;
            case ({ } state, null):
                _frames.Add(FrameKind.Vanished, state with { Present = false, Up = false, Enslaved = false });
                break;
            case ({ } earlier, { } state) when earlier != state:
                _frames.Add(FrameKind.Changed, state);
                break;
            default:
                break;
        }

        Forget(device);
        if (now is { } sighting)
        {
            Remember(sighting);
        }
    }

    void Remember(Sighting sighting)
    {
        _told[sighting.State.Device] = sighting;
        _names[sighting.Index] = sighting.State.Device;
    }

    void Forget(string device)
    {
        if (_told.Remove(device, out var told))
        {
            _names.Remove(told.Index);
        }
    }
}
