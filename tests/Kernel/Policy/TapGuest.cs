using System.Runtime.InteropServices;
using System.Text;
using ControlPlane.DriverLinux;
using Microsoft.Win32.SafeHandles;

namespace ControlPlane.Kernel.Tests;

/// <summary>What a hypervisor does with a tap: opens it by its name, writes the guest's frames and reads those for it.</summary>
sealed unsafe partial class TapGuest : IDisposable
{
    const nuint SetInterface = 0x400454ca;
    const short TapWithoutPacketInfo = 0x0002 | 0x1000;
    const int NonBlocking = 0x800;

    readonly SafeFileHandle _tap;
    readonly string _mac;
    readonly byte[] _buffer = new byte[70_000];

    public TapGuest(string networkNamespace, string device, string mac)
    {
        _mac = mac;
        _tap = NetworkNamespace.Run(networkNamespace, () =>
        {
            var tun = Libc.OpenOrThrow("/dev/net/tun", Libc.ReadWrite | NonBlocking);
            var request = stackalloc byte[40];
            new Span<byte>(request, 40).Clear();
            Encoding.ASCII.GetBytes(device, new Span<byte>(request, 15));
            *(short*)(request + 16) = TapWithoutPacketInfo;
            Libc.Check(Libc.Control(tun, SetInterface, request), "open tap " + device);
            return tun;
        });
    }

    public void Send(byte[] payload, string to) => Send([.. MacText.Bytes(to), .. MacText.Bytes(_mac), 0x88, 0xb5, .. payload]);

    /// <summary>A whole frame, as it is.</summary>
    public void Send(byte[] frame)
    {
        fixed (byte* start = frame)
        {
            _ = Write(_tap, start, frame.Length);
        }
    }

    /// <summary>Bytes of all frames that have arrived.</summary>
    public int Receive()
    {
        var bytes = 0;
        fixed (byte* start = _buffer)
        {
            while ((int)Read(_tap, start, _buffer.Length) is > 0 and var length)
            {
                bytes += length;
            }
        }

        return bytes;
    }

    /// <summary>The frames that have arrived since the last look.</summary>
    public List<byte[]> Take()
    {
        List<byte[]> frames = [];
        fixed (byte* start = _buffer)
        {
            while ((int)Read(_tap, start, _buffer.Length) is > 0 and var length)
            {
                frames.Add(_buffer[..length]);
            }
        }

        return frames;
    }

    public void Dispose() => _tap.Dispose();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeHandle file, byte* bytes, nint length);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeHandle file, byte* bytes, nint length);
}
